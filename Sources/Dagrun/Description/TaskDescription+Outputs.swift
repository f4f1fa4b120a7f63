extension TaskDescription {
  /// All that gets its values just before the task runs.
  package var templates: [Template] {
    let own =
      switch work {
      case .empty, .swift, .madeScript: [Template]()
      case .bash(let script): [script]
      case .computeEngineJob(let job): job.templates
      }
    return own + environment.sorted { $0.key < $1.key }.map(\.value) + [workingDirectory].compactMap(\.self)
  }

  /// The tasks whose outputs it reads, as arguments of its closure or in its templates. No duplicates.
  package var readOutputs: [String] {
    var seen: Set<String> = []
    return (inputs + templates.flatMap(\.usedOutputs)).filter { seen.insert($0).inserted }
  }
}

extension Template {
  /// The tasks whose outputs it uses.
  package var usedOutputs: [String] { parts.compactMap(\.usedOutput) }
}

extension Template.Part {
  fileprivate var usedOutput: String? {
    switch self {
    case .output(let taskID): taskID
    case .raw(let part): part.usedOutput
    case .text, .value, .variable: nil
    }
  }
}
