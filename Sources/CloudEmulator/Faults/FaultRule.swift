/// Something that goes wrong, as often as it says. Its JSON form is what `--faults FILE` and `POST /emulator/faults`
/// take.
package struct FaultRule: Hashable, Sendable {
  /// To take it away again; made up where it is not given.
  package var id: String?
  package var fault: Fault
  /// How often it happens; nil: until it is taken away.
  package var times: Int?
  /// Of each matching request or attempt, by the emulator's seed; nil: always.
  package var probability: Double?
  /// So many matching requests or attempts go unharmed first.
  package var after: Int?

  package init(_ fault: Fault, times: Int? = nil, probability: Double? = nil, after: Int? = nil, id: String? = nil) {
    self.id = id
    self.fault = fault
    self.times = times
    self.probability = probability
    self.after = after
  }
}

package enum Fault: Hashable, Sendable {
  /// A request that matches is answered otherwise than it should be.
  case request(RequestPattern, RequestFault)
  /// A VM that matches cannot be made.
  case creation(MachinePattern, CreationFault)
  /// A VM that matches is made, and then does not work.
  case boot(MachinePattern, BootFault)
  /// A Spot VM that matches is preempted so long after it is RUNNING.
  case preemption(MachinePattern, afterSeconds: Double)
}

/// Which requests. Patterns may hold `*` (anything).
package struct RequestPattern: Codable, Hashable, Sendable {
  /// Google's name of the method: `compute.instanceGroupManagers.insert`, `pubsub.*`.
  package var method: String?
  /// The path as in the request, without its query: `/v1/projects/*/topics/a:publish`.
  package var path: String?

  package init(method: String? = nil, path: String? = nil) {
    self.method = method
    self.path = path
  }
}

package enum RequestFault: Hashable, Sendable {
  /// Answered with an error; nothing is done. `reason` is camelCase for Compute (`rateLimitExceeded`) and upper case
  /// for the others (`UNAVAILABLE`); nil: the usual one of the status.
  case status(Int, reason: String? = nil, message: String? = nil, retryAfterSeconds: Int? = nil)
  /// Done and answered later.
  case delay(seconds: Double)
  /// Done; then the connection is closed without an answer.
  case answerLost
  /// The connection is closed before anything is done.
  case dropped
  /// Compute only: the operation that the request starts is DONE with this error, and does nothing.
  case operationError(code: String, message: String? = nil)
}

/// Which VMs. Patterns may hold `*` (anything).
package struct MachinePattern: Codable, Hashable, Sendable {
  package var zone: String?
  package var machineType: String?
  package var name: String?
  /// Only Spot VMs, or only others.
  package var isSpot: Bool?

  package init(zone: String? = nil, machineType: String? = nil, name: String? = nil, isSpot: Bool? = nil) {
    self.zone = zone
    self.machineType = machineType
    self.name = name
    self.isSpot = isSpot
  }
}

package enum CreationFault: Hashable, Sendable {
  case stockOut
  case quota(metric: String)
  case permission
  case other(code: String, message: String)
}

package enum BootFault: Hashable, Sendable {
  /// It is off again at once.
  case fails
  /// It is RUNNING, and nothing ever runs on it.
  case hangs
  /// The operating system starts so much later.
  case slow(seconds: Double)
  /// Its network leads to its metadata server and nowhere else.
  case cutOff
}
