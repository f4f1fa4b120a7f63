// As for tasks, what has its default value is left out. Tasks of the DAG's own file do not repeat its name.

extension DAGDescription: Codable {
  private enum Key: String, CodingKey {
    case id, schedule, startDate, endDate, catchup, parameters, tags, documentation, maxActiveRuns, maxActiveTasks,
      dagrunTimeout, tasks, groups, location
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    func value<Value: Decodable>(_ key: Key, default standard: Value) throws -> Value {
      try container.decodeIfPresent(Value.self, forKey: key) ?? standard
    }
    self.init(
      id: try container.decode(String.self, forKey: .id),
      location: try container.decode(SourceLocation.self, forKey: .location))
    schedule = try value(.schedule, default: schedule)
    startDate = try container.decodeIfPresent(Timestamp.self, forKey: .startDate)
    endDate = try container.decodeIfPresent(Timestamp.self, forKey: .endDate)
    catchup = try value(.catchup, default: catchup)
    parameters = try value(.parameters, default: parameters)
    tags = try value(.tags, default: tags)
    documentation = try value(.documentation, default: documentation)
    maxActiveRuns = try value(.maxActiveRuns, default: maxActiveRuns)
    maxActiveTasks = try value(.maxActiveTasks, default: maxActiveTasks)
    dagrunTimeoutSeconds = try container.decodeIfPresent(Double.self, forKey: .dagrunTimeout)
    tasks = try value(.tasks, default: tasks)
    groups = try value(.groups, default: groups)
    for index in tasks.indices where tasks[index].location.file.isEmpty { tasks[index].location.file = location.file }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    let standard = DAGDescription(id: id, location: location)
    func encode<Value: Encodable & Equatable>(_ path: KeyPath<DAGDescription, Value>, _ key: Key) throws {
      if self[keyPath: path] != standard[keyPath: path] { try container.encode(self[keyPath: path], forKey: key) }
    }
    try container.encode(id, forKey: .id)
    try container.encode(location, forKey: .location)
    try encode(\.schedule, .schedule)
    try encode(\.startDate, .startDate)
    try encode(\.endDate, .endDate)
    try encode(\.catchup, .catchup)
    try encode(\.parameters, .parameters)
    try encode(\.tags, .tags)
    try encode(\.documentation, .documentation)
    try encode(\.maxActiveRuns, .maxActiveRuns)
    try encode(\.maxActiveTasks, .maxActiveTasks)
    try encode(\.dagrunTimeoutSeconds, .dagrunTimeout)
    try encode(\.groups, .groups)
    var tasks = tasks
    for index in tasks.indices where tasks[index].location.file == location.file { tasks[index].location.file = "" }
    try container.encode(tasks, forKey: .tasks)
  }
}
