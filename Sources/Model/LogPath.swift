/// Where logs are kept, relative to a home's folder of logs. Laid out as in Airflow.
package enum LogPath {
  /// `dag_id=nightly/run_id=manual__1`
  package static func folder(dagID: String, runID: String) -> String {
    "\(fileName("dag_id=\(dagID)"))/\(fileName("run_id=\(runID)"))"
  }

  /// `dag_id=nightly/run_id=manual__1/task_id=train/attempt=1.log`
  package static func of(_ key: TryKey, dagID: String, runID: String) -> String {
    "\(folder(dagID: dagID, runID: runID))/\(withinRun(key))"
  }

  /// `task_id=train/attempt=1.log`, `task_id=train/map_index=0/attempt=1.log`; each job of a group has a log of its own
  /// beside that of the try: `task_id=train/attempt=1.job=2.log`.
  package static func withinRun(_ key: TryKey) -> String {
    var path = fileName("task_id=\(key.taskID)")
    if key.instance.mapIndex >= 0 { path += "/map_index=\(key.instance.mapIndex)" }
    path += "/attempt=\(key.number)"
    if key.member > 0 { path += ".job=\(key.member)" }
    return path + ".log"
  }
}

/// The name, or, where a file system does not take so long a name, its beginning and a hash of the whole of it. The
/// same name always gives the same one.
package func fileName(_ name: String) -> String {
  let limitBytes = 255
  guard name.utf8.count > limitBytes else { return name }
  // FNV-1a, twice, with different beginnings: 128 bits.
  var (first, second): (UInt64, UInt64) = (14_695_981_039_346_656_037, 1_099_511_628_211)
  for byte in name.utf8 {
    first = (first ^ UInt64(byte)) &* 1_099_511_628_211
    second = (second ^ UInt64(byte)) &* 1_099_511_628_211
  }
  let hash = "~" + [first, second].map { String($0, radix: 16) }.joined(separator: "-")
  var start = ""
  for scalar in name.unicodeScalars {
    guard start.utf8.count + scalar.utf8.count + hash.utf8.count <= limitBytes else { break }
    start.unicodeScalars.append(scalar)
  }
  return start + hash
}
