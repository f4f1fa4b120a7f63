import ArgumentParser

struct SchedulerCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "scheduler", abstract: "Schedules and runs the DAGs of the dags folder, until it is stopped.",
    discussion: """
      Only one scheduler works in a home. Ctrl-C or SIGTERM ends it: tasks that run continue, and the next scheduler \
      finds them. A second Ctrl-C ends it at once. It also drives jobs of 'dagrun job run' that have lost their command.
      """)

  @Flag(help: "Run what is due, also what a crash left, and leave.") var untilIdle = false
  @OptionGroup var parallelism: ParallelismOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    try workspace.checkDAGsFolder()
    return try await workspace.serve(untilIdle: untilIdle, parallelism: parallelism.parallelism)
  }
}
