import ArgumentParser
import Clash
import Control
import Dagrun
import Engine
import Executors
import Foundation
import GoogleCloud
import Logging
import Model
import Processes
import Scheduling
import Storage

/// How commands reach the scheduler of the home: the one that runs, or one in this process.
extension Workspace {
  /// Asks the scheduler that runs, or one in this process that starts nothing.
  ///
  /// - Throws: a refusal, or what keeps the scheduler from answering.
  func ask(_ request: ControlRequest, of control: (any Control)? = nil) async throws -> ControlReply {
    if let control { return try await control.send(request) }
    return try await reach(.offline, parallelism: nil) { try await $0.send(request) }
  }

  /// Does something with a scheduler that runs tasks: the one that runs, or one in this process for as long.
  func withScheduler<Result: Sendable>(
    parallelism: Int?, _ body: @Sendable (any Control) async throws -> Result
  ) async throws -> Result {
    while true {
      do {
        return try await reach(.command, parallelism: parallelism, body)
      } catch let gone as SchedulerWentAway {
        // Another command was the scheduler, and its run has ended. Ours has not.
        session.errors.line("the scheduler of run \(gone.runID) has left; continuing without it")
      }
    }
  }

  /// Is the scheduler of the home, until a signal or until nothing is left to do.
  func serve(untilIdle: Bool, parallelism: Int?) async throws -> CommandExit {
    // Whether it was idleness. Before the engine starts, whose socket shows others that a signal will be received.
    let (ends, continuation) = AsyncStream.makeStream(of: Bool.self)
    let interruption = Interruption { continuation.yield(false) }
    defer { interruption.end() }
    let engine = try await start(.scheduler, parallelism: parallelism, logLevel: .info)
    if !untilIdle {
      session.errors.line("scheduling \(places.dagsFolder) in \(home.path) (process \(getpid())); Ctrl-C ends it")
    }
    Task {
      if await engine.waitForLoss() != nil { continuation.yield(false) }
    }
    if untilIdle {
      Task {
        await engine.waitUntilIdle()
        continuation.yield(true)
      }
    }
    let isIdle = await ends.first { _ in true } ?? false
    await engine.stop()
    if let loss = await engine.waitForLoss() { throw UserError(ControlError(.unavailable, loss)) }
    guard isIdle else {
      // Tasks bring themselves to their end, and so do jobs; but nobody removes what those have before somebody is
      // there.
      Departure.sayWhatStays(in: self, isLeftAtOnce: false)
      return .success
    }
    try mentionWhatIsLeft()
    if let problem = await engine.dagFilesProblem {
      throw UserError(ControlError(.unavailable, "\(problem)\nonly runs made before continued"))
    }
    return .success
  }

  /// Nothing moves any more, and yet not everything has ended.
  private func mentionWhatIsLeft() throws {
    for state in [DAGRunState.running, .queued] {
      for run in try reader()?.listRuns(RunFilter(state: state)) ?? [] {
        session.errors.line(
          "run \(run.runID) of \(run.dagID) waits (\(state.rawValue)): 'dagrun explain \(run.dagID) "
            + "\(ShellWord.quote(run.runID)) TASK' says for what")
      }
    }
  }

  /// What was stored waits for a scheduler; says so where none runs.
  func mentionWhatRuns(_ what: String) {
    guard SocketControl(home) == nil else { return }
    session.errors.line("no scheduler is running; \(what) waits for one: 'dagrun scheduler'")
  }

  /// A paused DAG starts no tasks, so waiting for its run would never end.
  func refusePaused(_ dagID: String, hint: String) throws {
    guard try reader()?.dag(dagID)?.isPaused == true else { return }
    throw UserError(.wrongUsage, "\(dagID) is paused", hint: hint)
  }

  private func reach<Result: Sendable>(
    _ mode: Engine.Mode, parallelism: Int?, _ body: (any Control) async throws -> Result
  ) async throws -> Result {
    // Made before anything is begun: a signal that comes before somebody follows is not lost.
    let departure = mode == .offline ? nil : Departure(self)
    defer { departure?.end() }
    while true {
      switch try await findOrStart(mode, parallelism: parallelism) {
      case .found(let control):
        do {
          return try await body(PatientControl(control, home: home, errors: session.errors))
        } catch let refusal as ControlError where refusal.kind == .gone {
          // Another command was the scheduler, and left when its own run had ended: asked again, of the next one.
          continue
        }
      case .started(let engine):
        let unwanted = mode == .offline ? Set(await engine.unwantedJobs()) : []
        let outcome: Swift.Result<Result, any Error>
        do {
          outcome = .success(try await body(PatientControl(EngineControl(engine), home: home, errors: session.errors)))
        } catch {
          outcome = .failure(error)
        }
        // However it ended: there may be no other scheduler for a long time.
        if let departure {
          await stop(engine, departure)
        } else {
          await mentionUnwantedJobs(engine, known: unwanted)
          await engine.stop()
        }
        return try outcome.get()
      }
    }
  }

  /// The scheduler in this process leaves when nothing is left that jobs which nobody waits for had in the cloud.
  private func stop(_ engine: Engine, _ departure: Departure) async {
    departure.beginRemoving()
    let notice = Task {
      try await Task.sleep(for: .seconds(Quiet.seconds))
      departure.sayWhatIsRemoved()
    }
    await engine.stopWhenJobsAreRemoved()
    notice.cancel()
    Departure.sayWhatStays(in: self, isLeftAtOnce: false)
  }

  /// Says which jobs the request has left without anybody who wants them, and without anybody who removes them.
  private func mentionUnwantedJobs(_ engine: Engine, known: Set<String>) async {
    for name in await engine.unwantedJobs() where !known.contains(name) {
      session.errors.line(
        "nobody wants job \(name) any more, and no scheduler is running: its machine costs money until one is started, "
          + "which removes it; to remove it now: \(command("job cancel \(name)"))")
    }
  }

  /// A command line for this home, to be typed where this command was.
  func command(_ words: String) -> String {
    var session = session
    session.environment["DAGRUN_HOME"] = nil
    let isFound = (try? session.places())?.home == home
    return "dagrun \(words)\(isFound ? "" : " --home \(ShellWord.quote(home.path))")"
  }

  private enum Reached {
    case found(SocketControl)
    case started(Engine)
  }

  private func findOrStart(_ mode: Engine.Mode, parallelism: Int?) async throws -> Reached {
    let begin = monotonicSeconds()
    let deadline = begin + Self.patienceSeconds
    var isSaid = false
    // The database may be busy for a moment, with another command's first or last look at it.
    var triesElse = 5
    while true {
      if let control = SocketControl(home) { return .found(control) }
      do {
        return .started(try await start(mode, parallelism: parallelism, logLevel: .error))
      } catch let refusal as ControlError
        where refusal.kind == .held && monotonicSeconds() < deadline || refusal.kind == .unavailable && triesElse > 0
      {
        if refusal.kind == .unavailable { triesElse -= 1 }
        if Interruption.wasAsked { throw UserError(.interrupted, "interrupted before anything was begun") }
        if !isSaid, monotonicSeconds() - begin >= Quiet.seconds {
          isSaid = true
          session.errors.line("\(refusal.message.prefix { !$0.isNewline }); waiting for it")
        }
        // It has the lock, and does not listen yet; or it is a short command, which will not.
        try await Task.sleep(for: .milliseconds(20))
      }
    }
  }

  /// How long to wait for another command that has the home: longer than it takes to compile a few files.
  private static let patienceSeconds = 30.0

  private func start(_ mode: Engine.Mode, parallelism: Int?, logLevel: Logger.Level) async throws -> Engine {
    var options = Engine.Options(home: home, dagsFolder: places.dagsFolder, executable: Self.executable)
    options.mode = mode
    options.version = Version.text
    options.cacheFolder = cacheFolder
    let (home, environment) = (home, session.environment)
    options.jobAccess = {
      let session = try CloudSession.standard(environment: environment, version: Version.text)
      var access = try JobAccess(session, environment: environment)
      access.options.prices = try home.prices(path: nil, environment: environment)
      return access
    }
    if let parallelism = try parallelism ?? parallelismOfEnvironment() { options.parallelism = parallelism }
    options.jobRetention = try JobContext.retention(session.environment)
    var logger = session.logger
    logger.logLevel = logLevel
    return try await Engine.start(options, logger: logger)
  }

  private func parallelismOfEnvironment() throws -> Int? {
    guard let text = session.environment["DAGRUN_PARALLELISM"], !text.isEmpty else { return nil }
    do {
      return try BoundedNumber.whole(NumberBound.parallelism.at("DAGRUN_PARALLELISM"))(text)
    } catch {
      throw UserError(
        .wrongUsage, "DAGRUN_PARALLELISM is '\(text)'",
        hint: "it is how many tasks run at once: \(NumberBound.parallelism.rule)")
    }
  }
}

/// The process that was the scheduler has ended; the run continues as soon as there is another.
struct SchedulerWentAway: Error {
  var runID: String
}

struct ParallelismOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How many tasks run at once; a scheduler that runs already has its own. (environment: DAGRUN_PARALLELISM; "
        + "default: 32)", valueName: "count"), transform: BoundedNumber.whole(.parallelism))
  var parallelism: Int?
}
