package import Dagrun

/// How a job ended, for good: everything of it in the cloud is removed, or is listed in `leftBehind`.
package struct JobOutcome: Codable, Hashable, Sendable {
  package var ending: Ending
  /// Of the last attempt; nil when no container ever began.
  package var result: JobResult?
  /// What the job wrote to `$DAGRUN_OUTPUT`; nil when nothing.
  package var output: String?
  /// The newest of the log, at most 64 KiB, whole characters.
  package var logTail: String
  /// Resources that could not be removed, and why: for `dagrun job gc`.
  package var leftBehind: [String] = []

  package init(_ ending: Ending, result: JobResult? = nil, output: String? = nil, logTail: String = "") {
    self.ending = ending
    self.result = result
    self.output = output
    self.logTail = logTail
  }

  package enum Ending: Codable, Hashable, Sendable {
    /// The command ended by itself, and outputs are where they belong. 0 is success.
    case exited(status: Int)
    /// The command never ran, or what came after it failed. Not the program's own doing.
    case infrastructure(InfrastructureFailure)
    case cancelled
    case timedOut(afterSeconds: Double)
  }
}

extension JobOutcome {
  /// There is a result, and it is somebody else's.
  package var hasEndedElsewhere: Bool {
    guard case .infrastructure(let failure) = ending else { return false }
    return failure.kind == .endedElsewhere
  }
}

/// A failure of everything but the program.
package struct InfrastructureFailure: Codable, Hashable, Sendable {
  package var kind: Kind
  /// What failed, on what, and what to do next.
  package var message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
    /// The ladder was walked to its end, as often as the job allows.
    case noCapacity = "no_capacity"
    case quota
    case permission
    /// There are no credentials, or they are no longer good. Other machines may have them, and this one in a moment.
    case signedOut = "signed_out"
    /// Google refuses what was asked.
    case invalidRequest = "invalid_request"
    /// The VM did not start, or went silent.
    case machine
    /// The VM does not reach Google's APIs from its network.
    case network
    /// docker could not pull the image.
    case imagePull = "image_pull"
    /// docker could not start the container (its status 125).
    case containerStart = "container_start"
    /// The command is there and cannot be executed (126).
    case commandNotExecutable = "command_not_executable"
    /// There is no such command in the image (127).
    case commandNotFound = "command_not_found"
    /// A bucket could not be mounted, a secret not be read.
    case inputs
    /// The command succeeded, and an output directory is missing, empty, or could not be copied.
    case outputs
    /// Another home has brought it to its end, and has its result; or somebody has deleted its subscription.
    case endedElsewhere = "ended_elsewhere"
    /// Something else: the cloud's errors, or this program's.
    case cloud
  }

  /// Another try of the task may go better.
  package var isRetryable: Bool {
    switch kind {
    case .noCapacity, .quota, .signedOut, .machine, .network, .imagePull, .cloud, .outputs, .inputs, .containerStart,
      .endedElsewhere:
      true
    case .permission, .invalidRequest, .commandNotExecutable, .commandNotFound: false
    }
  }
}
