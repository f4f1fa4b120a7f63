// Templates are most of a description, and a DAG may have 100,000 tasks. So a template is one JSON string, in which
// `\(kind:name\)` stands for a part that is not text, and a backslash of the text is written twice.

extension Template: Codable {
  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let template = Template(coded: text) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "bad template: \(text)"))
    }
    self = template
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(coded)
  }

  private var coded: String {
    var result = ""
    for part in parts {
      switch part {
      case .text(let text): result += Self.escaped(text)
      default: result += "\\(" + Self.escaped(part.coded) + "\\)"
      }
    }
    return result
  }

  private static func escaped(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      bytes.append(byte)
      if byte == UInt8(ascii: "\\") { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private init?(coded: String) {
    self.init(parts: [])
    guard coded.utf8.contains(UInt8(ascii: "\\")) else {
      if !coded.isEmpty { parts = [.text(coded)] }
      return
    }
    var text: [UInt8] = []
    var isEscaped = false
    for byte in coded.utf8 {
      guard isEscaped else {
        if byte == UInt8(ascii: "\\") { isEscaped = true } else { text.append(byte) }
        continue
      }
      isEscaped = false
      switch byte {
      case UInt8(ascii: "("):
        if !text.isEmpty { parts.append(.text(String(decoding: text, as: UTF8.self))) }
        text = []
      case UInt8(ascii: ")"):
        guard let part = Part(coded: String(decoding: text, as: UTF8.self)[...]) else { return nil }
        parts.append(part)
        text = []
      default: text.append(byte)
      }
    }
    if !text.isEmpty { parts.append(.text(String(decoding: text, as: UTF8.self))) }
  }
}

extension Template.Part {
  fileprivate var coded: String {
    switch self {
    case .text(let text): "text:" + text
    case .value(let value): "value:" + value
    case .variable(.param(let name)): "param:" + name
    case .variable(.var(let name)): "var:" + name
    case .variable(let variable): "run:" + variable.name
    case .output(let taskID): "output:" + taskID
    case .raw(let part): "raw:" + part.coded
    }
  }

  fileprivate init?(coded: Substring) {
    guard let colon = coded.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let rest = coded[coded.utf8.index(after: colon)...]
    switch coded[..<colon] {
    case "text": self = .text(String(rest))
    case "value": self = .value(String(rest))
    case "param": self = .variable(.param(String(rest)))
    case "var": self = .variable(.var(String(rest)))
    case "output": self = .output(taskID: String(rest))
    case "run":
      guard let variable = TemplateVariable.named[String(rest)] else { return nil }
      self = .variable(variable)
    case "raw":
      guard let part = Template.Part(coded: rest) else { return nil }
      self = .raw(part)
    default: return nil
    }
  }
}

extension TemplateVariable {
  /// Airflow's name.
  package var name: String {
    switch self {
    case .ds: "ds"
    case .dsNodash: "ds_nodash"
    case .ts: "ts"
    case .tsNodash: "ts_nodash"
    case .logicalDate: "logical_date"
    case .dataIntervalStart: "data_interval_start"
    case .dataIntervalEnd: "data_interval_end"
    case .prevDataIntervalStartSuccess: "prev_data_interval_start_success"
    case .prevDataIntervalEndSuccess: "prev_data_interval_end_success"
    case .runID: "run_id"
    case .dagID: "dag_id"
    case .taskID: "task_id"
    case .tryNumber: "try_number"
    case .mapIndex: "map_index"
    case .param(let name): "params.\(name)"
    case .var(let name): "var.\(name)"
    }
  }

  /// As DAG files spell them, after a dot.
  package static let spellings = [
    "ds", "dsNodash", "ts", "tsNodash", "logicalDate", "dataIntervalStart", "dataIntervalEnd",
    "prevDataIntervalStartSuccess", "prevDataIntervalEndSuccess", "runID", "dagID", "taskID", "tryNumber", "mapIndex",
    "param(…)", "var(…)",
  ]

  /// Those without a name of the user's own.
  fileprivate static let named: [String: TemplateVariable] = {
    let variables: [TemplateVariable] = [
      .ds, .dsNodash, .ts, .tsNodash, .logicalDate, .dataIntervalStart, .dataIntervalEnd,
      .prevDataIntervalStartSuccess, .prevDataIntervalEndSuccess, .runID, .dagID, .taskID, .tryNumber, .mapIndex,
    ]
    return Dictionary(uniqueKeysWithValues: variables.map { ($0.name, $0) })
  }()
}
