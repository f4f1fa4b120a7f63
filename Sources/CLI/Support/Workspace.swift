import Dagrun
import Foundation
import Model
import Presentation
import Scheduling
import Storage

/// What a command works on: a home with its database, the DAG files, and the scheduler. Nothing is opened before it is
/// asked for.
struct Workspace: Sendable {
  let session: Session
  var places: WorkspacePaths
  /// Where compiled DAG files are kept.
  var cacheFolder: String

  init(_ session: Session, _ global: GlobalOptions) throws {
    self.session = session
    places = try session.places(home: global.home, dagsFolder: global.dagsFolder)
    cacheFolder = places.home.cachePath
  }

  var home: Home { places.home }

  // MARK: Reading the database

  /// nil where nothing has run yet, so that there is no database.
  func reader() throws -> StoreReader? {
    do {
      return try existingReader()
    } catch let error as StoreError where error.code == .missing {
      return nil
    }
  }

  func existingReader() throws -> StoreReader { try home.reader() }

  /// By DAG id.
  func dagSummaries() throws -> [String: DAGSummary] {
    let summaries = try reader()?.dags() ?? []
    return Dictionary(uniqueKeysWithValues: summaries.map { ($0.record.dagID, $0) })
  }

  /// A run by its id, or the newest one by the word `latest`.
  func run(_ dagID: String, _ runID: String) async throws -> DAGRun {
    let reader = try reader()
    if let run = try reader?.run(dagID: dagID, runID: runID) { return run }
    if runID == "latest", let run = try reader?.latestRun(dagID: dagID) { return run }
    let others = try reader?.listRuns(RunFilter(dagID: dagID, limit: 1000)).map(\.runID) ?? []
    if others.isEmpty {
      try await checkDAGExists(dagID)
      throw UserError(.notFound, "\(dagID) has no runs yet", hint: "'dagrun trigger \(dagID)' makes one")
    }
    throw UserError(
      notFound: "run", runID, among: others, hint: "'dagrun dags list-runs \(dagID)' lists those of \(dagID)")
  }

  func task(_ taskID: String, of run: DAGRun) throws -> TaskRecord {
    let tasks = try existingReader().taskInstances(run: run.number)
    if let task = tasks.first(where: { $0.instance.taskID == taskID }) { return task }
    throw UserError(
      notFound: "task", taskID, among: tasks.map(\.instance.taskID),
      hint: "'dagrun tasks list \(run.dagID)' lists those of \(run.dagID)")
  }

  func pools() throws -> [PoolUsage] {
    try reader()?.pools() ?? [PoolUsage(pool: .standard)]
  }

  func variables() throws -> [Variable] { try reader()?.variables() ?? [] }

  func variableValues() throws -> [String: String] {
    Dictionary(uniqueKeysWithValues: try variables().map { ($0.key, $0.value) })
  }

  func backfills(of dagID: String?) throws -> [Backfill] { try reader()?.backfills(dagID: dagID) ?? [] }

  /// A DAG that has a file, or that had one and has runs.
  func checkDAGExists(_ dagID: String) async throws {
    if try reader()?.dag(dagID) != nil { return }
    _ = try await dagFiles().dag(dagID)
  }

  // MARK: Writing variables, which no scheduler needs to be asked for

  func set(_ variable: Variable) throws { try writableStore().setVariable(variable) }

  func deleteVariable(_ key: String) throws { _ = try writableStore().deleteVariable(key) }

  private func writableStore() throws -> Store {
    try home.make()
    return try Store(path: home.databasePath)
  }
}
