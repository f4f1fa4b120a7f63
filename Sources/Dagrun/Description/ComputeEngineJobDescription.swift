package import Foundation

/// Containers on Google Compute Engine VMs that live only for one task: one, or a group that is run at once.
package struct ComputeEngineJobDescription: Codable, Hashable, Sendable {
  package var job: JobConfig
  /// One, unless `isGroup`.
  package var specs: [Spec]
  package var isGroup = false
  /// The task's output is what the job wrote to `$DAGRUN_OUTPUT`, not a `JobResult`.
  package var handsOnOwnOutput = false

  package init(job: JobConfig, specs: [Spec], isGroup: Bool = false) {
    self.job = job
    self.specs = specs
    self.isGroup = isGroup
  }

  /// What one container runs, with values that are known only when the task runs.
  package struct Spec: Codable, Hashable, Sendable {
    package var command: Command
    package var environment: [String: Template] = [:]
    /// Directory in the container -> bucket and path that is mounted there.
    package var mounts: [String: Template] = [:]
    /// Directory in the container -> bucket and path to which it is copied at the end.
    package var outputs: [String: Template] = [:]
    package var timeoutSeconds: Double?

    package init(command: Command) { self.command = command }
  }

  package enum Command: Codable, Hashable, Sendable {
    case image
    case arguments([Template])
    case script(Template)
    case file(name: String, contents: Data, arguments: [Template])
  }
}

extension ComputeEngineJobDescription {
  package var templates: [Template] { specs.flatMap(\.templates) }
}

extension ComputeEngineJobDescription.Spec {
  /// All of them, in a fixed order.
  package var templates: [Template] {
    let maps = [environment, mounts, outputs].flatMap { $0.sorted { $0.key < $1.key }.map(\.value) }
    switch command {
    case .image: return maps
    case .arguments(let arguments), .file(_, _, let arguments): return arguments + maps
    case .script(let script): return [script] + maps
    }
  }

  /// Everything as the container gets it.
  ///
  /// - Parameter text: a template's text with its values put in.
  package func render(
    _ job: JobConfig, text: (Template, Template.Context) throws -> String
  ) throws -> JobSpec {
    func plain(_ template: Template) throws -> String { try text(template, .plain) }
    let command: JobCommand =
      switch self.command {
      case .image: .image
      case .arguments(let arguments): .arguments(try arguments.map(plain))
      case .script(let script): .script(try text(script, script.shell.map { .script($0) } ?? .plain))
      case .file(let name, let contents, let arguments):
        .file(name: name, contents: contents, arguments: try arguments.map(plain))
      }
    var spec = JobSpec(config: job, command: command)
    spec.environment = try environment.mapValues(plain)
    for (directory, template) in mounts.sorted(by: { $0.key < $1.key }) {
      let path = try plain(template)
      // The same objects in two places: the spec has room for one.
      if let other = spec.mounts.updateValue(directory, forKey: path) {
        throw RenderError("\(path) is mounted at \(other) and at \(directory); mount it at one place")
      }
    }
    spec.outputs = try outputs.mapValues(plain)
    spec.timeoutSeconds = timeoutSeconds
    return spec
  }
}

extension Template {
  /// What reads a container's script; nil: another language, in which values are not quoted.
  package var shell: ShellDialect? {
    guard case .text(let text) = parts.first, text.hasPrefix("#!") else { return .unknown }
    let line = text.unicodeScalars.dropFirst(2).prefix { $0 != "\n" && $0 != "\r" }
    let words = String(line).split { $0 == " " || $0 == "\t" }.map { $0.split(separator: "/").last ?? $0 }
    // `env -S VARIABLE=value bash -e`
    guard let program = words.first(where: { $0 != "env" && !$0.hasPrefix("-") && !$0.contains("=") }) else {
      return .unknown
    }
    switch program {
    case "bash", "rbash": return .bash
    case "zsh", "ksh", "ksh93", "mksh", "lksh", "pdksh", "rksh", "rzsh": return .korn
    case "sh", "dash", "ash", "busybox", "toybox", "yash", "posh", "hush": return .unknown
    default: return nil
    }
  }
}
