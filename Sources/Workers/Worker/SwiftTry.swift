package import Dagrun
internal import Foundation
internal import Glibc
internal import Model

/// Where the closures of Swift tasks come from.
package struct TaskCode: Sendable {
  /// Loads a compiled DAG file; called on the main thread, once for a worker.
  package var load: @Sendable (_ library: String, _ entry: String) throws -> Void
  package var body: @Sendable (_ dagID: String, _ taskID: String) -> SwiftTaskBody?

  package init(
    load: @escaping @Sendable (_ library: String, _ entry: String) throws -> Void,
    body: @escaping @Sendable (_ dagID: String, _ taskID: String) -> SwiftTaskBody?
  ) {
    self.load = load
    self.body = body
  }
}

/// Runs the closures of one compiled DAG file, one at a time.
final class SwiftTaskRunner {
  private let code: TaskCode
  private let lane = InlineTaskExecutor()
  private var loaded: String?

  init(code: TaskCode) { self.code = code }

  /// After `load`.
  func run(
    _ id: TryKey, in context: RunContext, inputs: [String], as current: CurrentTry, missingOutputs: [String: String],
    kill: @escaping @Sendable () -> Void, wakeControl: () -> Void
  ) -> (TaskResult.Outcome, output: String?) {
    guard let body = code.body(context.dagID, id.taskID) else {
      return (.failed(reason: "the compiled DAG file has no Swift task \(id.taskID)", isRetryable: false), nil)
    }
    let inputs = inputs.map { Data($0.utf8) }
    let ending = Ending()
    let taskContext = TaskContext(
      run: context, taskID: id.taskID, tryNumber: id.number,
      mapIndex: id.instance.mapIndex < 0 ? nil : Int(id.instance.mapIndex), missingOutputs: missingOutputs)
    lane.run {
      do {
        ending.value = .success(try await body(taskContext, inputs))
      } catch {
        ending.value = .failure(error)
      }
    } onStart: { task in
      if current.become(.init(cancel: { task.cancel() }, kill: kill)) { wakeControl() }
    }
    switch ending.value! {
    case .success(let data):
      return (.success, data.map { String(decoding: $0, as: UTF8.self) })
    case .failure(let matched as MatchedError):
      return (outcome(of: matched.error, cause: .errorRule(matched.rule, typeName: matched.typeName)), nil)
    case .failure(let error):
      return (outcome(of: error, cause: nil), nil)
    }
  }

  /// - Returns: how the try ends when the file cannot be loaded.
  func load(_ library: String, _ entry: String, onLoad: () -> Void) -> TaskResult.Outcome? {
    if let loaded {
      precondition(loaded == library, "a worker that loaded \(loaded) was given a task of \(library)")
      return nil
    }
    do {
      // The file's top-level code belongs to the main actor.
      try DispatchQueue.main.sync { [code] in try code.load(library, entry) }
    } catch {
      return .failed(reason: "cannot load the compiled DAG file \(library): \(error)")
    }
    loaded = library
    onLoad()
    return nil
  }

  private func outcome(of error: any Error, cause: Failure.Cause?) -> TaskResult.Outcome {
    switch error {
    case let skip as TaskSkip:
      return .skipped(reason: skip.reason)
    case let failure as TaskFailure:
      note("the task failed and wants no retry: \(failure.reason)")
      return .failed(reason: failure.reason, cause: cause, isRetryable: false)
    default:
      note("the task threw \(type(of: error)): \(Self.words(error))")
      return .failed(reason: Self.words(error), cause: cause)
    }
  }

  /// A case of an enum says little without the enum's name, and an error of Foundation says too much.
  private static func words(_ error: any Error) -> String {
    switch error {
    case let error as CocoaError:
      return error.localizedDescription + (error.filePath.map { " (\($0))" } ?? "")
    case let error as any LocalizedError:
      return error.errorDescription ?? "\(error)"
    default:
      let saysMore =
        Mirror(reflecting: error).displayStyle == .enum && !(type(of: error) is any CustomStringConvertible.Type)
      return saysMore ? "\(type(of: error)).\(error)" : "\(error)"
    }
  }

  /// Written by the task, read when it has ended.
  private final class Ending: @unchecked Sendable {
    var value: Result<Data?, any Error>?
  }
}
