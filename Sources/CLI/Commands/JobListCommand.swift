import ArgumentParser
import Clash
import Dagrun
import Model
import Presentation
import Storage

struct JobListCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists jobs.",
    discussion: """
      Those of this home that have not ended, and which of them nobody drives; with --cloud, what the project has of any \
      home's jobs.
      """)

  @Flag(help: "Also those that have ended.") var all = false
  @Flag(help: "What the project has, by its labels.") var cloud = false
  @Option(help: "The project, for --cloud. (default: as gcloud's)") var project: String?
  @Option(help: ArgumentHelp("Only those of a DAG.", valueName: "dag"), completion: .dags) var dag: String?
  @Option(
    help: ArgumentHelp("The newest of them.", valueName: "count"), transform: BoundedNumber.whole(.listLimit))
  var limit: Int?
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let context = try JobContext(session, global)
    if cloud { return try await listCloud(context) }
    var records: [OutputObject] = []
    var notes: [String] = []
    let undriven = UndrivenJobs(context.home, command: context.command)
    if let reader = try context.reader() {
      let filter = JobFilter(isFinished: all ? nil : false, dagID: dag, limit: limit)
      records = try reader.listJobs(filter).map { job in
        var record = record(of: job, state: undriven.state(of: job), session)
        let isUndriven = undriven.isUndriven(job)
        if isUndriven { notes.append(undriven.words(of: job)) }
        record.append("driven", job.isFinished ? .null : .bool(!isUndriven))
        return record
      }
    }
    let listing = Listing(
      records: records,
      columns: [
        "name", "state", "dag_id", "task_id", "submitted_at", "attempts", "zone", "machine_type", "spot", "cost",
      ],
      whenEmpty: all ? "there are no jobs" : "no job is under way; --all lists those that have ended")
    try listing.print(format.output, to: session)
    for note in notes { session.errors.line(note) }
    return .success
  }

  private func record(of job: JobRecord, state: String, _ session: Session) -> OutputObject {
    do {
      return job.record(try job.decodedRequest(), state: state, isForPeople: format.output == .table)
    } catch {
      session.errors.paragraph(error.description)
      return job.record(nil, state: state)
    }
  }

  private func listCloud(_ context: JobContext) async throws -> CommandExit {
    let project = try await context.project(project)
    let inventory = try await JobCollector(project: project, transport: try context.cloud()).inventory()
    let listing = Listing(
      records: inventory.resources.map(\.record), columns: ["job", "kind", "name", "place", "home_id", "created_at"],
      whenEmpty: "the project \(project) has nothing of any job")
    try listing.print(format.output, to: context.session)
    for place in inventory.unreachable { context.session.errors.line("could not look into \(place)") }
    return .success
  }
}

extension JobResource {
  var record: OutputObject {
    [
      "job": .text(job), "kind": .text(kind.words), "name": .text(name), "place": .optional(kind.place),
      "home_id": .optional(homeID), "created_at": .optional(createdAt),
    ]
  }
}
