import Storage

extension Workspace {
  /// What of the tries of a run could not be kept: a log that is cut looks like one that is not.
  func tellLosses(ofRun run: Int64, named runID: String? = nil) throws {
    for lossy in try reader()?.losses(run: run) ?? [] {
      let place = runID.map { " of run \($0)" } ?? ""
      session.errors.line("\(lossy.taskID)\(place) (try \(lossy.tryNumber)): \(lossy.loss)")
    }
  }
}
