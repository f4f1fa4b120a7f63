import DagBag
import Dagrun
import Foundation

/// One try of one task, whatever its kind, and how its end is told.
struct TaskRun {
  let trial: TrialRun
  let file: DAGFile
  let workspace: Workspace
  let format: JobOutputFormat
  let leash: Int32?

  private var session: Session { workspace.session }

  func run() async throws -> ExitStatus {
    let end = try await end()
    switch format {
    case .log: end.tell(of: trial.task, to: session.errors)
    case .json: try end.record(of: trial).print(.json, to: session)
    case .yaml: try end.record(of: trial).print(.yaml, to: session)
    }
    return end.status
  }

  private func end() async throws -> TaskRunEnd {
    let log = format == .log ? session.output : session.errors
    let solo = SoloTask(trial: trial, file: file, workspace: workspace, log: log, leash: leash)
    guard let work = try solo.work() else { return .nothing(at: Timestamp(Date())) }
    let (result, stop) = try await solo.run(work)
    return try TaskRunEnd(result, stop: stop, of: trial.task)
  }
}
