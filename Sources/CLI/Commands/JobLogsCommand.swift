import ArgumentParser
import Clash
import Dagrun
import Model
import Presentation
import Processes

struct JobLogsCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Prints the log of a job, as far as it has come here.")

  @Argument(help: "The job.") var name: String
  @Flag(name: .shortAndLong, help: "Keep printing while the job runs.") var follow = false
  @OptionGroup var logOptions: LogOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let session = logOptions.session(session)
    let context = try JobContext(session, global)
    let job = try context.record(name)
    var log = LogTail(path: context.logPath(of: job))
    let wakes = follow ? LogWakes(database: context.home.databasePath) : nil
    while true {
      wakes?.watch(log.path)
      // Asked before the log is read, so that the last lines are not missed.
      let isFinished = try context.record(name).isFinished
      log.read(isRunning: !isFinished && follow, session.output.log)
      guard let wakes, !isFinished else { return .success }
      if job.task == nil, !context.isDriven(name) {
        session.errors.line("nobody receives the log of job \(name) now; 'dagrun job attach \(name)' does")
        return .success
      }
      // Nothing is written when the one that drives it dies.
      try await wakes.wait(atMost: 1)
    }
  }
}
