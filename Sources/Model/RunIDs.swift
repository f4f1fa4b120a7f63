package import Dagrun

/// Run ids that dagrun makes by itself, and that nobody else may give.
package enum RunIDs {
  /// Airflow's types of runs that are not manual: a manual run whose id begins with one of them is refused, as there.
  package static let reserved = [
    "backfill", "scheduled", "operator_triggered", "asset_triggered", "asset_materialization",
  ]

  /// Names the newest run wherever a command takes a run id.
  package static let latest = "latest"

  /// Why nobody may call a run so; nil: anybody may.
  package static func problem(with id: String) -> String? {
    if id == latest { return "means the newest run wherever a run id is asked for; choose another one" }
    guard let type = reserved.first(where: { id.hasPrefix("\($0)__") }) else { return nil }
    return "is reserved: ids that begin with \"\(type)__\" are those of \(type) runs; choose another one"
  }

  package static func manual(_ date: Timestamp) -> String { "manual__\(date.iso8601)" }
  package static func scheduled(_ date: Timestamp) -> String { "scheduled__\(date.iso8601)" }
  package static func backfill(_ date: Timestamp) -> String { "backfill__\(date.iso8601)" }

  /// The id, or the first of `id_2`, `id_3`, … that is not taken.
  package static func free(_ id: String, isTaken: (String) -> Bool) -> String {
    var candidate = id
    var count = 1
    while isTaken(candidate) {
      count += 1
      candidate = "\(id)_\(count)"
    }
    return candidate
  }
}
