import Clash
import Dagrun
import Executors
import Foundation
import JobControl
import Model
import Presentation
import Scheduling
import Storage

/// Runs the job or the jobs of one task, without a scheduler: begins them, or continues with what an earlier try has
/// begun.
struct JobTaskRun {
  let rehearsal: TaskRehearsal
  let job: ComputeEngineJobDescription
  /// With all values put in.
  let specs: [JobSpec]
  let workspace: Workspace
  /// nil: a name of the task's own.
  let name: ExternalRunContext.JobOfTask?
  let format: JobOutputFormat
  let lifeline: ParentLifeline?
  let handsOver: Bool

  enum Course {
    case ended(TaskResult, [JobRunResult])
    /// Some continue, and somebody else drives them.
    case handedOver(OutputObject)
  }

  private var session: Session { workspace.session }
  private var task: TaskDescription { rehearsal.task }

  /// A job of the task.
  private struct Member {
    var series: JobSeries
    var spec: JobSpec
    /// Before each line of its log; empty for the only one.
    var label: String
  }

  func run() async throws -> Course {
    let start = Timestamp(Date())
    let members = try members()
    let ends = try await drive(members)
    for end in ends { end.tell(in: session) }
    if let record = try handedOver(ends) { return .handedOver(record) }
    return .ended(try result(ends, since: start), ends)
  }

  /// The results are told: another try does not get them.
  func noteReceived(_ ends: [JobRunResult]) async throws {
    let context = JobContext(session, home: workspace.home)
    for end in ends { try await end.noteReceived(lifeline, in: context) }
  }

  // MARK: What to run

  /// All is checked before any of it begins.
  private func members() throws -> [Member] {
    let series = try series()
    return try specs.map(limited).enumerated().map { index, spec in
      let base = job.isGroup ? JobSeries.base(series.base, member: index + 1) : series.base
      let member = Member(
        series: JobSeries(base: base, number: series.number), spec: spec, label: job.isGroup ? "[\(index + 1)] " : "")
      try JobOptions.check(JobRequest(name: member.series.name, spec: spec, origin: JobOrigin(homeID: "")))
      return member
    }
  }

  private func series() throws -> JobSeries {
    if let name { return JobSeries(base: name.name, number: name.attempt) }
    // Another home may have a run of the same id in the same project.
    let homeID = try JobContext(session, home: workspace.home).store().homeID()
    let base = JobSeries.base(
      ofTask: task.id, dagID: rehearsal.dag.id, runID: rehearsal.context.runID, homeID: homeID)
    return JobSeries(base: base, number: rehearsal.tryNumber)
  }

  /// No scheduler is there to stop it.
  private func limited(_ spec: JobSpec) -> JobSpec {
    var spec = spec
    if let limit = task.executionTimeoutSeconds { spec.timeoutSeconds = min(spec.timeoutSeconds ?? limit, limit) }
    return spec
  }

  // MARK: Running it

  /// Each to its end, also when another one fails.
  private func drive(_ members: [Member]) async throws -> [JobRunResult] {
    let results = await withTaskGroup(of: (Int, Result<JobRunResult, any Error>).self) { group in
      for (index, member) in members.enumerated() { group.addTask { (index, await drive(member)) } }
      return await group.reduce(into: [Int: Result<JobRunResult, any Error>]()) { $0[$1.0] = $1.1 }
    }
    // In their order; the first that could not be driven is reported, and the others' results wait for the next try.
    return try members.indices.map { try results[$0]!.get() }
  }

  private func drive(_ member: Member) async -> Result<JobRunResult, any Error> {
    guard !member.label.isEmpty else { return await drive(member, in: session) }
    var session = session
    let (output, errors) = (
      LabelledOutput(session.output, label: member.label), LabelledOutput(session.errors, label: member.label)
    )
    (session.output, session.errors) = (output.output, errors.output)
    defer {
      output.finish()
      errors.finish()
    }
    return await drive(member, in: session)
  }

  private func drive(_ member: Member, in session: Session) async -> Result<JobRunResult, any Error> {
    do {
      let context = JobContext(session, home: workspace.home)
      // A runner for each: one that hands its job over stops.
      let driver = try JobDriver(context, format: format, lifeline: lifeline, handsOver: handsOver)
      return .success(
        try await JobSeriesRunner(driver: driver, series: member.series, spec: member.spec).run(in: context))
    } catch {
      return .failure(error)
    }
  }

  // MARK: Its end

  private func handedOver(_ ends: [JobRunResult]) throws -> OutputObject? {
    let isHandedOver = ends.contains { if case .handedOver = $0.end { true } else { false } }
    guard isHandedOver else { return nil }
    let series = try series()
    let jobs: [OutputValue] = ends.map { end in
      .object([
        "name": .text(end.name), "attempt": .optional(end.attempt), "project": .text(end.project),
        "handed_over": .bool(end.outcome == nil),
      ])
    }
    return [
      "name": .text(job.isGroup ? series.base : ends[0].name),
      "attempt": .int(job.isGroup ? series.number : ends[0].attempt ?? series.number),
      "project": .text(job.job.project), "handed_over": .bool(true), "jobs": .list(jobs),
    ]
  }

  private func result(_ ends: [JobRunResult], since start: Timestamp) throws -> TaskResult {
    let outcomes = ends.compactMap(\.outcome)
    guard outcomes.count == ends.count else {
      throw UserError(.interrupted, "\(task.id) continues without this command: its caller is gone")
    }
    if ends.contains(where: { $0.exitStatus == .interrupted }) {
      throw UserError(.interrupted, "\(task.id) was stopped")
    }
    var result = TaskResult(outcomes, of: job, names: ends.map(\.name))
    result.startDate = start
    result.endDate = Timestamp(Date())
    return result
  }
}
