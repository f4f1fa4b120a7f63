internal import Foundation

/// A unit of systemd, as far as a VM of ours honours it. What it does not know is a note, never an error.
struct UnitFile: Equatable {
  var name: String
  var wants: [String] = []
  var requires: [String] = []
  var after: [String] = []
  var before: [String] = []
  /// Each true when the path exists, or with `isNegated` when it does not.
  var conditions: [PathCondition] = []
  var wantedBy: [String] = []
  var service = Service()
  var notes: [String] = []

  struct PathCondition: Equatable {
    var path: String
    var isNegated: Bool
  }

  struct EnvironmentFile: Equatable {
    var path: String
    var isOptional: Bool
  }

  struct Service: Equatable {
    enum Kind: String { case simple, exec, oneshot }
    enum Restart: String {
      case no, always
      case onSuccess = "on-success"
      case onFailure = "on-failure"
      case onAbnormal = "on-abnormal"
      case onAbort = "on-abort"
    }
    enum KillMode: String { case controlGroup = "control-group", mixed, process, none }

    var kind = Kind.simple
    var remainsAfterExit = false
    var environment: [String: String] = [:]
    var environmentFiles: [EnvironmentFile] = []
    var startPre: [UnitCommand] = []
    var start: [UnitCommand] = []
    var stop: [UnitCommand] = []
    var stopPost: [UnitCommand] = []
    var restart = Restart.no
    var restartSeconds = 0.1
    /// Nil: for ever.
    var startTimeoutSeconds: Double?
    var stopTimeoutSeconds: Double? = 90
    var killMode = KillMode.controlGroup
    var killSignal = SIGTERM
    var workingDirectory = "/"
    var output = UnitOutput.journal
    var errorOutput: UnitOutput?

  }

  /// - Parameter hostName: for the specifier `%H`.
  init(name: String, text: String, hostName: String) {
    self.name = name
    var section = ""
    for line in Self.logicalLines(text) {
      if line.hasPrefix("["), line.hasSuffix("]") {
        section = String(line.dropFirst().dropLast())
        continue
      }
      guard let equals = line.firstIndex(of: "=") else {
        notes.append("not a directive: \(line)")
        continue
      }
      let key = line[..<equals].trimmingCharacters(in: .whitespaces)
      let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      set(section, key, value, Specifiers(unit: name, hostName: hostName))
    }
    // A one-shot service may take as long as it likes.
    if service.kind != .oneshot, service.startTimeoutSeconds == nil { service.startTimeoutSeconds = 90 }
  }

  /// Without comments; a line that ends with a backslash goes on in the next one.
  private static func logicalLines(_ text: String) -> [String] {
    var lines: [String] = []
    var rest = ""
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      let trimmed = line.trimmingCharacters(in: .whitespaces)
      if trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
      if trimmed.hasSuffix("\\") {
        rest += trimmed.dropLast() + " "
      } else {
        lines.append(rest + trimmed)
        rest = ""
      }
    }
    return (lines + [rest]).map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  }

  private mutating func set(_ section: String, _ key: String, _ value: String, _ specifiers: Specifiers) {
    let names = value.split(separator: " ").map { specifiers.expand(String($0)) }
    func list(_ old: [String]) -> [String] { value.isEmpty ? [] : old + names }
    func commands(_ old: [UnitCommand]) -> [UnitCommand] {
      value.isEmpty ? [] : old + UnitCommand.parse(value, specifiers)
    }
    func known<Value>(_ read: Value?, else old: Value) -> Value {
      if read == nil { notes.append("\(key)=\(value) is not emulated, and was ignored") }
      return read ?? old
    }
    func span(else old: Double?) -> Double? {
      known(UnitTimeSpan(value), else: UnitTimeSpan(seconds: old)).seconds
    }
    switch (section, key) {
    case ("Unit", "Wants"), ("Unit", "Upholds"): wants = list(wants)
    case ("Unit", "Requires"), ("Unit", "BindsTo"), ("Unit", "Requisite"): requires = list(requires)
    case ("Unit", "After"): after = list(after)
    case ("Unit", "Before"): before = list(before)
    case ("Unit", "ConditionPathExists"):
      let isNegated = value.hasPrefix("!")
      conditions.append(
        PathCondition(path: specifiers.expand(isNegated ? String(value.dropFirst()) : value), isNegated: isNegated))
    case ("Unit", "Description"), ("Unit", "Documentation"), ("Install", "Alias"): break
    case ("Unit", "StartLimitIntervalSec"), ("Unit", "StartLimitBurst"), ("Unit", "DefaultDependencies"): break
    case ("Install", "WantedBy"), ("Install", "RequiredBy"): wantedBy = list(wantedBy)
    case ("Service", "Type"): service.kind = known(.init(rawValue: value), else: service.kind)
    case ("Service", "RemainAfterExit"): service.remainsAfterExit = ["yes", "true", "1", "on"].contains(value)
    case ("Service", "Environment"):
      for word in splitWords(value) {
        let word = specifiers.expand(word)
        if let equals = word.firstIndex(of: "=") {
          service.environment[String(word[..<equals])] = String(word[word.index(after: equals)...])
        }
      }
    case ("Service", "EnvironmentFile"):
      let isOptional = value.hasPrefix("-")
      service.environmentFiles.append(
        .init(path: specifiers.expand(isOptional ? String(value.dropFirst()) : value), isOptional: isOptional))
    case ("Service", "ExecStartPre"): service.startPre = commands(service.startPre)
    case ("Service", "ExecStart"): service.start = commands(service.start)
    case ("Service", "ExecStop"): service.stop = commands(service.stop)
    case ("Service", "ExecStopPost"): service.stopPost = commands(service.stopPost)
    case ("Service", "Restart"): service.restart = known(.init(rawValue: value), else: service.restart)
    case ("Service", "RestartSec"): service.restartSeconds = span(else: service.restartSeconds) ?? 0
    case ("Service", "TimeoutStartSec"): service.startTimeoutSeconds = span(else: service.startTimeoutSeconds)
    case ("Service", "TimeoutStopSec"): service.stopTimeoutSeconds = span(else: service.stopTimeoutSeconds)
    case ("Service", "TimeoutSec"):
      service.startTimeoutSeconds = span(else: service.startTimeoutSeconds)
      service.stopTimeoutSeconds = service.startTimeoutSeconds
    case ("Service", "KillMode"): service.killMode = known(.init(rawValue: value), else: service.killMode)
    case ("Service", "KillSignal"):
      service.killSignal = known(signalNumber(value), else: service.killSignal)
    case ("Service", "WorkingDirectory"):
      service.workingDirectory = specifiers.expand(value.hasPrefix("-") ? String(value.dropFirst()) : value)
    case ("Service", "StandardOutput"):
      service.output = known(UnitOutput(specifiers.expand(value)), else: service.output)
    case ("Service", "StandardError"):
      service.errorOutput = known(UnitOutput(specifiers.expand(value)), else: service.errorOutput ?? service.output)
    case ("Service", "User") where value == "root", ("Service", "Group") where value == "root": break
    case ("Service", "StandardInput") where value == "null", ("Service", "SyslogIdentifier"): break
    // Whoever asks for one does without where its variable is not set.
    case ("Service", "RuntimeDirectory"), ("Service", "RuntimeDirectoryMode"): break
    case ("Service", "OOMScoreAdjust"), ("Service", "OOMPolicy"), ("Service", "Nice"), ("Service", "LimitNOFILE"): break
    default: notes.append("[\(section)] \(key) is not emulated, and was ignored")
    }
  }
}
