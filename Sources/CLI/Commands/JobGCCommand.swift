import ArgumentParser
import Clash
import Dagrun
import Executors
import Foundation
import Model
import Presentation
import Storage

struct JobGCCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Removes what jobs have left behind in a project.",
    discussion: """
      What carries dagrun's labels and this home's id, and belongs to no job that is under way here. Of other homes, whose \
      journals cannot be asked, with --all-homes: what is older than --older-than. Also forgets jobs that ended more than \
      DAGRUN_JOB_RETENTION_DAYS (90) days ago, as the scheduler does each day; 'job cost' still knows them.
      """)

  @Flag(name: .shortAndLong, help: "Only say what would be removed.") var dryRun = false
  @Flag(help: "Also what other homes' jobs have left behind.") var allHomes = false
  @Option(
    help: ArgumentHelp("For --all-homes; 7d by default, 0 for whatever there is.", valueName: "time"),
    transform: BoundedNumber.duration(.olderThan))
  var olderThan: DurationOption?
  @Option(help: "The project. (default: as gcloud's)") var project: String?
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    if olderThan != nil && !allHomes { throw ValidationError("--older-than is about other homes: say --all-homes too") }
  }

  func execute(in session: Session) async throws -> CommandExit {
    let context = try JobContext(session, global)
    let project = try await context.project(project)
    let interruption = Interruption {
      session.errors.line("still removing; once more leaves at once")
    } onSecond: {
      session.errors.line("left. Remove the rest with: \(context.command("job gc"))")
    }
    defer { interruption.end() }
    let access = try context.access()
    let collector = JobCollector(project: project, transport: access.transport)
    let plan = try plan(for: try await collector.inventory(), project, context)
    if !dryRun { try await cancel(plan.abandonedJobs, access, context) }
    let failures = dryRun ? [:] : await remove(plan, collector)
    try list(plan, failures, project, in: session)
    if !dryRun { try forgetOldJobs(context) }
    return failures.isEmpty ? .success : .unavailable
  }

  private func forgetOldJobs(_ context: JobContext) throws {
    let retention = try JobContext.retention(context.session.environment)
    let count = try retention.forgetJobs(of: context.home, in: try context.store())
    guard count > 0, let days = retention.days else { return }
    context.session.errors.line(
      "forgot \(count) jobs that ended more than \(JSONText.number(days)) days ago; what they cost is kept")
  }

  private func plan(
    for inventory: JobInventory, _ project: String, _ context: JobContext
  ) throws -> CollectionPlan {
    for place in inventory.unreachable {
      context.session.errors.line("could not look into \(place); try again later")
    }
    let store = try context.store()
    let journal = try JobCollector.journaled(
      inventory, in: store, project: project, isDriven: context.isDriven)
    var policy = CollectionPolicy(homeID: try store.homeID())
    policy.includesOtherHomes = allHomes
    if let olderThan { policy.olderThanSeconds = olderThan.seconds }
    return CollectionPlan(inventory, journal: journal, policy: policy, now: Timestamp(Date()))
  }

  /// - Returns: why what could not be removed was not.
  private func remove(_ plan: CollectionPlan, _ collector: JobCollector) async -> [JobResource: String] {
    var failures: [JobResource: String] = [:]
    for await removal in collector.remove(plan) {
      if let failure = removal.failure { failures[removal.verdict.resource] = "\(failure)" }
    }
    return failures
  }

  private func list(
    _ plan: CollectionPlan, _ failures: [JobResource: String], _ project: String, in session: Session
  ) throws {
    let records = plan.verdicts.map { verdict in
      var record = verdict.resource.record
      record.append("fate", .text(fate(of: verdict, failures[verdict.resource])))
      record.append("reason", .text(failures[verdict.resource] ?? verdict.reason))
      return record
    }
    let listing = Listing(
      records: records, columns: ["job", "kind", "name", "place", "fate", "reason"],
      whenEmpty: "the project \(project) has nothing of any job")
    try listing.print(format.output, to: session)
  }

  private func fate(of verdict: CollectionPlan.Verdict, _ failure: String?) -> String {
    switch verdict.fate {
    case .keep: "kept"
    case .remove, .cancel: failure != nil ? "not removed" : dryRun ? "would be removed" : "removed"
    }
  }

  /// Jobs of this home that nobody drives: the process that began them is gone.
  private func cancel(_ names: [String], _ access: JobAccess, _ context: JobContext) async throws {
    guard !names.isEmpty else { return }
    // One that somebody takes up at this moment is not ours any more.
    let locks = names.compactMap { name in (try? context.lock(name)).map { (name, $0) } }
    let runner = try context.home.jobRunner(access, logger: context.session.logger)
    for (name, _) in locks {
      runner.adopt(name, logPath: nil) { _ in }
      runner.cancel(name)
    }
    await runner.waitUntilIdle()
    runner.stop()
    withExtendedLifetime(locks) {}
  }
}
