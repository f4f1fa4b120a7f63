/// What a DAG file says of one DAG: the whole contract between the file and everything that plans, stores or shows it.
///
/// Made by running the file's top-level code (`Registry`), stored as JSON with the compiled file.
package struct DAGDescription: Hashable, Sendable {
  package var id: String
  package var schedule: Schedule = .none
  /// No scheduled run has a logical date before this moment.
  package var startDate: Timestamp?
  /// No scheduled run has a logical date after this moment.
  package var endDate: Timestamp?
  package var catchup = false
  package var parameters: [ParameterDescription] = []
  package var tags: [String] = []
  package var documentation = ""
  package var maxActiveRuns = 16
  package var maxActiveTasks = 16
  package var dagrunTimeoutSeconds: Double?
  /// In the order the file creates them.
  package var tasks: [TaskDescription] = []
  /// In the order the file creates them: each after the one it is in.
  package var groups: [TaskGroupDescription] = []
  package var location: SourceLocation

  package init(id: String, location: SourceLocation) {
    self.id = id
    self.location = location
  }
}

extension Timestamp: Codable {
  package init(from decoder: any Decoder) throws {
    self.init(microseconds: try decoder.singleValueContainer().decode(Int64.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(microseconds)
  }
}

/// One parameter of a DAG: its type, its default, and what a value must satisfy when a run is triggered.
package struct ParameterDescription: Codable, Hashable, Sendable {
  package var name: String
  package var type: ValueType
  /// nil: a run must be given one.
  package var defaultValue: JSONValue?
  package var minimum: Double?
  package var maximum: Double?
  package var minimumLength: Int?
  package var maximumLength: Int?
  /// A regular expression that the whole of a string must match.
  package var pattern: String?
  package var documentation = ""

  package init(name: String, type: ValueType, defaultValue: JSONValue?) {
    self.name = name
    self.type = type
    self.defaultValue = defaultValue
  }

  package indirect enum ValueType: Codable, Hashable, Sendable {
    case string
    case int
    case double
    case bool
    /// An ISO 8601 date or date and time, as text.
    case date
    /// One of these texts.
    case oneOf([String])
    case list(of: ValueType)
  }
}
