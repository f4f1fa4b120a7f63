import ArgumentParser
import Clash
import Control
import DagBag
import Foundation
import GoogleCloud
import JobControl
import Model
import Processes
import Storage

/// Every error that may reach a person, in words and with its exit status.
extension UserError {
  init(explaining error: any Error) {
    switch error {
    case let userError as UserError: self = userError
    case let refusal as ControlError: self.init(refusal)
    case let error as JobControlError: self.init(error)
    case let error as StoreError: self.init(error)
    case let error as DagBagError:
      self.init(.unavailable, "\(error)", hint: "'dagrun doctor' looks for what is wrong here")
    case let error as SystemError: self.init(.unavailable, "\(error)")
    case is CancellationError: self.init(.interrupted, "interrupted")
    case let error as CloudError:
      self.init(.unavailable, "\(error)", hint: error.hint)
    case let error as PriceTableError: self.init(.wrongUsage, "\(error)")
    case let error as CocoaError: self.init(error)
    default:
      self.init(.unavailable, "\(error)", hint: "'dagrun doctor' looks for what is wrong here")
    }
  }

  init(_ refusal: ControlError) {
    let status: CommandExit =
      switch refusal.kind {
      case .notFound: .notFound
      case .invalid: .wrongUsage
      case .importError: .importErrors
      case .nothingToDo: .runFailed
      case .unavailable, .held, .gone: .unavailable
      }
    // Further lines say what to do.
    let lines = refusal.message.split(separator: "\n", maxSplits: 1).map(String.init)
    self.init(status, lines.first ?? "refused", hint: lines.dropFirst().first)
  }

  init(_ error: StoreError) {
    let status: CommandExit =
      switch error.code {
      case .missing: .notFound
      case .invalidArgument: .wrongUsage
      case .guardFailed, .newerDatabase, .olderDatabase, .notADatabase, .corrupt, .cannotOpen, .readOnly, .diskFull,
        .busy, .constraint, .inputOutput, .other:
        .unavailable
      }
    self.init(
      status, "cannot \(error.operation) the database \(error.path): \(error.problem)",
      hint: error.hint.isEmpty ? nil : error.hint)
  }

  /// What Foundation's file functions throw.
  init(_ error: CocoaError) {
    let path = error.filePath.map { " \($0)" } ?? ""
    let reason = (error.underlying as? POSIXError).map { String(cString: strerror($0.code.rawValue)) }
    self.init(
      .unavailable, "cannot use the file\(path): \(reason ?? error.localizedDescription)",
      hint: "check that it exists and that you may read and write there")
  }

  /// The engine answered something that does not belong to the question.
  init(unexpected reply: ControlReply) {
    if case .refused(let refusal) = reply {
      self.init(refusal)
    } else {
      self.init(
        .unavailable, "the scheduler gave an unexpected answer",
        hint: "it may be of another version: restart it ('dagrun doctor' shows which one runs)")
    }
  }
}
