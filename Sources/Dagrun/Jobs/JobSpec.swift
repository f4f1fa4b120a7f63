package import Foundation

/// One job, with every value known: what runs, with which data, on what `JobConfig` says.
package struct JobSpec: Hashable, Sendable {
  package var config: JobConfig
  package var command: JobCommand
  /// Besides `config.environment`, and before it.
  package var environment: [String: String] = [:]
  /// `bucket/path` -> directory in the container.
  package var mounts: [String: String] = [:]
  /// Directory in the container -> `bucket/path` to which it is copied at the end.
  package var outputs: [String: String] = [:]
  /// From the container's first start; the job has failed then. nil: no limit.
  package var timeoutSeconds: Double?

  package init(config: JobConfig, command: JobCommand) {
    self.config = config
    self.command = command
  }

  package var allEnvironment: [String: String] { config.environment.merging(environment) { $1 } }
}

/// What the container runs.
package enum JobCommand: Hashable, Sendable {
  /// What the image says by itself.
  case image
  /// A program and its arguments; no shell reads them.
  case arguments([String])
  /// A script for the container's `/bin/sh`, or for what its `#!` line names.
  case script(String)
  /// The contents of a script file. Without a `#!` line its extension names the interpreter (`.py`, `.sh`, …).
  case file(name: String, contents: Data, arguments: [String])
}
