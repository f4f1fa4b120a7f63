internal import Dagrun
internal import Model
internal import Scheduling

/// Lists that tasks are mapped over, taken apart once for all their instances.
struct OutputLists {
  private var lists: [Key: JSONList] = [:]
  /// Mostly one list is in use, and it may be large.
  private static let most = 8

  private struct Key: Hashable {
    var run: Int64
    var taskID: String
  }

  /// - Parameter json: the output of the task, or the list of what its instances have handed on.
  mutating func list(run: Int64, taskID: String, _ json: () throws -> String?) rethrows -> JSONList? {
    let key = Key(run: run, taskID: taskID)
    if let known = lists[key] { return known }
    guard let list = try json().flatMap({ JSONList($0) }) else { return nil }
    if lists.count >= Self.most { lists = [:] }
    lists[key] = list
    return list
  }

  /// Other outputs were committed.
  mutating func forget(_ changes: [Change]) {
    guard !lists.isEmpty else { return }
    for change in changes {
      switch change {
      case .outputStored(let key, _), .outputRemoved(let key): lists[Key(run: key.run, taskID: key.taskID)] = nil
      case .runChanged(let transition) where transition.to.state.isFinished:
        lists = lists.filter { $0.key.run != transition.run }
      default: break
      }
    }
  }
}
