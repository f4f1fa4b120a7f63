internal import GRDB

extension Schema {
  /// Tasks are mapped over outputs whose lengths the scheduler must know, and it reads no outputs.
  static func addOutputLengths(_ database: Database) throws {
    // Of a list its count, of any other output -1; NULL: there is none.
    try add("output_length INTEGER CHECK (output_length >= -1)", to: "task_instance", database)
    // What a shell task writes is a text, and may be a list.
    try database.execute(
      sql: """
        UPDATE task_instance SET output_length = (
          SELECT CASE WHEN NOT json_valid(value) THEN -1
            ELSE CASE json_type(value)
              WHEN 'array' THEN json_array_length(value)
              WHEN 'text' THEN CASE WHEN NOT json_valid(json_extract(value, '$')) THEN -1
                ELSE CASE json_type(json_extract(value, '$'))
                  WHEN 'array' THEN json_array_length(json_extract(value, '$')) ELSE -1 END END
              ELSE -1 END END
          FROM xcom
          WHERE xcom.run = task_instance.run AND xcom.task_id = task_instance.task_id
            AND xcom.map_index = task_instance.map_index);
        DROP VIEW tasks;
        \(tasksView("run, task_id, map_index", "map_index, "))
        """)
  }
}
