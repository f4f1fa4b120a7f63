import Foundation

/// A task that runs a Swift closure. Its value goes to tasks that take its `output`:
///
///     let count = SwiftOperator("count_rows") { context in try rows(in: "out/\(context.ds).csv") }
///     SwiftOperator("report", count.output) { context, rows in context.log.info("\(rows) rows") }
///
/// The closure runs later, in a worker process: it can use the file's constants and functions, but not the DAG's tasks,
/// and nothing that changes. Throw `TaskSkip` to end as skipped, `TaskFailure` to fail without another try.
public struct SwiftOperator<Value: Sendable>: DAGTask {
  public let task: TaskReference
}

extension SwiftOperator where Value: Codable {
  /// What the closure will have returned.
  public var output: Output<Value> { Output(of: task) }
}

extension SwiftOperator {
  init(uncodable id: String, _ location: SourceLocation) {
    task = Registry.addTask(id, .swift, CommonOptions(triggerRule: nil), location)
    task.builder.problem(
      "the value of task \"\(id)\" is a \(Value.self), which is not Codable, so it cannot be stored and handed on; "
        + "make it Codable, or return nothing", at: location)
  }

  init<Result>(uncodable id: String, each result: Result.Type, _ location: SourceLocation) {
    task = Registry.addTask(id, .swift, CommonOptions(triggerRule: nil), location)
    task.builder.problem(
      "the value of an instance of task \"\(id)\" is a \(result), which is not Codable, so it cannot be stored and handed "
        + "on; make it Codable, or return nothing", at: location)
  }
}

extension TaskReference {
  func addInput(_ source: TaskReference) {
    guard source.builder === builder else {
      builder.foreign(source, usedBy: self)
      return
    }
    builder.addEdge(from: source, to: self)
    let id = source.id
    update { $0.inputs.append(id) }
  }

  /// The body of a shell task whose script is made of values: it returns the script, not as JSON.
  func setScript(_ make: @escaping @Sendable (inout InputReader) throws -> Template) {
    setBody { context, inputs in
      let script = try make(&inputs)
      if let taskID = script.usedOutputs.first {
        throw RenderError(
          "the script uses the output of task \"\(taskID)\" without having its value: make it an argument of the closure"
        )
      }
      let values = Template.Values(
        run: context.run, taskID: context.taskID, tryNumber: context.tryNumber, mapIndex: context.mapIndex ?? -1)
      return Data(try script.render(values, for: .shell).utf8)
    }
  }

  func setBody(_ body: @escaping @Sendable (TaskContext, inout InputReader) async throws -> Data?) {
    let description = builder.description.tasks[index]
    let sources: [InputReader.Source] =
      (description.mapping?.lists ?? []).map { .element($0) } + description.inputs.map { .output(taskID: $0) }
    builder.setBody(of: id) { context, data in
      var inputs = InputReader(data, from: sources, missing: context.missingOutputs)
      return try await body(context, &inputs)
    }
  }
}
