internal import Dagrun
internal import GoogleCloud

/// What a failed call means for a job.
enum FaultClass: Hashable {
  /// Another rung may do.
  case capacity(LadderFault)
  /// The same call may do, later.
  case passing
  /// The job's driver has no login, or it has run out: the same call will do once somebody has signed in.
  case signedOut
  /// Nothing will do until a person has changed something.
  case refusal(InfrastructureFailure.Kind)
}

extension CloudError {
  var faultClass: FaultClass {
    switch reason {
    case .outOfCapacity: .capacity(.outOfCapacity)
    case .notOffered: .capacity(.notOffered)
    case .quotaExceeded: .capacity(.quotaExceeded)
    case .rateLimited, .unavailable, .network, .badAnswer, .inUse, .cancelled: .passing
    case .unauthenticated: .signedOut
    case .permissionDenied, .apiDisabled: .refusal(.permission)
    case .invalid, .notFound, .alreadyExists: .refusal(.invalidRequest)
    case .other: .refusal(.cloud)
    }
  }

  /// As the fault of a VM that its group could not make. What it says of this machine in this place may not hold for
  /// the next one; nor may what this program does not know.
  var machineFaultClass: FaultClass {
    reason == .other || code == "UNSUPPORTED_OPERATION" ? .capacity(.refused) : faultClass
  }

  /// Its kind and itself, where no VM will do until a person has changed something.
  var refusal: (InfrastructureFailure.Kind, CloudError)? {
    if case .refusal(let kind) = machineFaultClass { (kind, self) } else { nil }
  }

  /// Google has read the request and refused it: it did nothing. A fault of an operation says less, for an operation
  /// may have done half of its work.
  var saysNothingWasDone: Bool {
    if wasNeverSent { return true }
    guard status != nil else { return false }
    switch faultClass {
    case .capacity, .signedOut, .refusal: return true
    case .passing: return false
    }
  }

  /// As `advice`, for somebody who had signed in before.
  var adviceToSignIn: String {
    let hint = hint ?? "log in again: gcloud auth application-default login"
    return ("\(self)".hasSuffix(".") ? "\(self) " : "\(self). ") + hint.prefix(1).uppercased() + hint.dropFirst()
  }

  /// What failed, on what, and what to do next.
  var advice: String {
    guard let hint else { return "\(self)" }
    return ("\(self)".hasSuffix(".") ? "\(self) " : "\(self). ") + hint.prefix(1).uppercased() + hint.dropFirst()
  }
}
