import DagBag
import Dagrun
import Foundation
import JobControl
import Model
import Preparation
import Presentation
import Scheduling

/// One try of one task, whatever its kind, and how its end is told.
struct StandaloneTask {
  let rehearsal: TaskRehearsal
  let file: DAGFile
  let workspace: Workspace
  let format: JobOutputFormat
  let lifeline: ParentLifeline?
  /// Of a job's task.
  let job: ExternalRunContext.JobOfTask?
  let handsOver: Bool

  private var session: Session { workspace.session }

  func run() async throws -> CommandExit {
    let facts = rehearsal.facts(file, home: workspace.home)
    guard let workload = try rehearsal.workload(facts, dagsFolder: workspace.places.dagsFolder) else {
      return try tell(.nothing(at: Timestamp(Date())))
    }
    if case .jobs(let description, let specs) = workload.work { return try await run(specs, of: description) }
    let log = format == .log ? session.output : session.errors
    let local = LocalTaskRun(rehearsal: rehearsal, workspace: workspace, log: log, lifeline: lifeline)
    let (result, stop) = try await local.run(workload, in: facts)
    return try tell(StandaloneTaskResult(result, stop: stop, of: rehearsal.task))
  }

  private func run(_ specs: [JobSpec], of description: ComputeEngineJobDescription) async throws -> CommandExit {
    let task = JobTaskRun(
      rehearsal: rehearsal, job: description, specs: specs, workspace: workspace, name: job, format: format,
      lifeline: lifeline,
      handsOver: handsOver)
    switch try await task.run() {
    case .handedOver(let record):
      if format != .log { try record.print(format == .json ? .json : .yaml, to: session) }
      return .success
    case .ended(let result, let ends):
      let status = try tell(StandaloneTaskResult(result, of: rehearsal.task, jobs: ends))
      try await task.noteReceived(ends)
      return status
    }
  }

  private func tell(_ end: StandaloneTaskResult) throws -> CommandExit {
    switch format {
    case .log: end.tell(of: rehearsal.task, to: session.errors)
    case .json: try end.record(of: rehearsal).print(.json, to: session)
    case .yaml: try end.record(of: rehearsal).print(.yaml, to: session)
    }
    return end.status
  }
}
