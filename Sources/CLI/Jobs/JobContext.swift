import Clash
import Control
import Dagrun
import Executors
import Foundation
import GoogleCloud
import JobControl
import Model
import Storage

/// What `dagrun job` works on: a home that keeps jobs, and the way to Google.
///
/// Jobs need no DAG files: where no home is found, it is `~/.dagrun`.
struct JobContext: Sendable {
  let session: Session
  let home: Home

  init(_ session: Session, _ global: GlobalOptions) throws {
    self.session = session
    home = try Self.home(session, home: global.home, dagsFolder: global.dagsFolder)
  }

  private static func home(_ session: Session, home: String?, dagsFolder: String?) throws -> Home {
    do {
      return try session.places(home: home, dagsFolder: dagsFolder).home
    } catch let userError as UserError {
      guard userError == WorkspacePaths.noFolder(session.workingDirectory), dagsFolder == nil,
        let user = session.environment["HOME"], !user.isEmpty
      else { throw userError }
      let home = Home(path: user + "/.dagrun")
      try home.checkTrust()
      return home
    }
  }

  init(_ session: Session, home: Home) {
    self.session = session
    self.home = home
  }

  // Swift 6.3.1 crashes in optimized builds where a synchronous function that calls one with typed throws is inlined
  // into an asynchronous one ("while splitting coroutine"). Hence `@inline(never)` here and on others of that shape.

  /// Makes the home where it is not there.
  @inline(never)
  func repository() throws -> JobRepository {
    let home = home
    return JobRepository(
      store: try store(), folder: home.jobsPath, logOfJob: { home.logPath(ofJob: $0) },
      logOfTask: { home.logPath(of: $0.key, dagID: $0.dagID, runID: $0.runID) })
  }

  /// Makes the home where it is not there.
  @inline(never)
  func store() throws -> JobStore {
    try home.make()
    return try JobStore(path: home.databasePath)
  }

  /// nil where nothing has run yet.
  @inline(never)
  func reader() throws -> StoreReader? {
    do {
      return try home.reader()
    } catch let error as StoreError where error.code == .missing {
      return nil
    }
  }

  /// - Throws: a `UserError` when no job of the name is kept here, or another version of dagrun keeps it.
  func record(_ name: String) throws -> JobRecord {
    guard let found = try find(name) else { throw unknown(name) }
    return found
  }

  func find(_ name: String) throws -> JobRecord? {
    guard let reader = try reader(), let record = try reader.job(named: name) else { return nil }
    _ = try request(of: record)
    return record
  }

  /// - Throws: a `UserError` when another version of dagrun has written it.
  @inline(never)
  func request(of record: JobRecord) throws -> JobRequest {
    do {
      return try record.decodedRequest()
    } catch {
      throw UserError(.unavailable, error.description)
    }
  }

  /// How long ended jobs are remembered.
  static func retention(_ environment: [String: String]) throws -> JobRetention {
    do {
      return try JobRetention(environment: environment)
    } catch let problem as JobRetentionProblem {
      throw UserError(.wrongUsage, problem.description, hint: "90 is the default, and 0 forgets nothing")
    }
  }

  func unknown(_ name: String) -> UserError {
    let names = (try? reader()?.listJobs(JobFilter(limit: 1000)).map(\.name)) ?? []
    return UserError(notFound: "job", name, among: names, hint: "'dagrun job list --all' lists those of \(home.path)")
  }

  /// Where the job's log is: its task's, or in the folder of jobs.
  func logPath(of job: JobRecord) -> String {
    guard let task = job.task else { return home.logPath(ofJob: job.name) }
    return home.logPath(of: task.key, dagID: task.dagID, runID: task.runID)
  }

  /// A command line for this home, to be typed where this command was.
  func command(_ words: String) -> String {
    var session = session
    session.environment["DAGRUN_HOME"] = nil
    let found = try? Self.home(session, home: nil, dagsFolder: nil)
    return "dagrun \(words)\(found == home ? "" : " --home \(ShellWord.quote(home.path))")"
  }

  /// What to type to remove a job. One that no home knows any more is found by its project.
  func cancelCommand(_ name: String, project: String?) -> String {
    let isKnown = FileManager.default.fileExists(atPath: home.databasePath)
    let place = project.map { isKnown ? "" : " --project \(ShellWord.quote($0))" } ?? ""
    return command("job cancel \(name)\(place)")
  }

  // MARK: The cloud

  func cloud() throws -> CloudSession {
    // A person waits. A job asks again by itself, for an hour, and says so.
    var rules = RetryRules()
    rules.deadlineSeconds = 10
    return try CloudSession.standard(environment: session.environment, version: Version.text, rules: rules)
  }

  func access(prices: String? = nil) throws -> JobAccess {
    var access = try Self.access(to: cloud(), session.environment)
    access.options.prices = try home.prices(path: prices, environment: session.environment)
    return access
  }

  private static func access(to cloud: CloudSession, _ environment: [String: String]) throws -> JobAccess {
    do {
      return try JobAccess(cloud, environment: environment)
    } catch let problem as JobTimingsProblem {
      throw UserError(.wrongUsage, problem.description, hint: "docs/emulator.md has the names")
    }
  }

  /// As given, or what Google's own tools would take.
  func project(_ given: String?) async throws -> String {
    if let given { return given }
    let cloud = try cloud()
    do {
      return try await cloud.project()
    } catch {
      throw UserError(
        .wrongUsage, "no project is named, and none is found: \(error.message)",
        hint: "say --project, set GOOGLE_CLOUD_PROJECT, or run: gcloud config set project PROJECT")
    }
  }

  /// A runner whose jobs are kept in the home.
  func runner(prices: String? = nil) throws -> JobRunner {
    try home.jobRunner(try access(prices: prices), logger: session.logger)
  }

  /// Takes the right to drive a job.
  func lock(_ name: String) throws -> JobLock {
    do {
      return try JobLock(job: name, folder: home.jobsPath)
    } catch {
      throw UserError(.unavailable, error.description)
    }
  }

  /// The same, also of a job that the scheduler of the home has taken over because nobody drove it.
  func lockBack(_ name: String) async throws -> JobLock {
    do {
      return try lock(name)
    } catch {
      guard let socket = SocketControl(home) else { throw error }
      let control = PatientControl(socket, home: home, errors: session.errors)
      guard case .done = try? await control.send(.leaveJob(name: name)) else { throw error }
      return try lock(name)
    }
  }

  func isDriven(_ name: String) -> Bool { JobLock.isHeld(job: name, folder: home.jobsPath) }
}
