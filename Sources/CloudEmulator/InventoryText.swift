internal import Foundation

extension Inventory {
  /// For a person: what there is, and what there was.
  package var text: String {
    var lines: [String] = []
    func add(_ title: String, _ rows: [String]) {
      guard !rows.isEmpty else { return }
      lines.append("\(title) (\(rows.count))")
      lines += rows.map { "  \($0)" }
    }
    add("Instance templates", instanceTemplates)
    add("Instance groups", instanceGroupManagers)
    add(
      "Instances", instances.map { "\($0.name)  \($0.status)  \($0.machineType)\($0.isSpot ? "  Spot" : "")" })
    add("Topics", topics)
    add("Subscriptions", subscriptions.map { "\($0.name)  \($0.unacknowledged) unacknowledged" })
    if isEmpty { lines.append("No templates, groups, instances, topics or subscriptions.") }
    add("Objects", objects.map { "gs://\($0.name)  \($0.bytes) bytes" })
    if !everMade.isEmpty {
      let counts = everMade.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      lines.append("Ever made: " + counts.joined(separator: ", "))
    }
    add(
      "Requests: \(requests.values.reduce(0, +)) in all, by method",
      requests.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value)  \($0.key)" })
    return lines.joined(separator: "\n")
  }
}
