/// A group while its closure makes its tasks.
final class GroupScope {
  let builder: DAGBuilder
  /// With those of the groups around it.
  let id: String
  /// What the ids in it begin with.
  let prefix: String
  let defaults: TaskDefaults
  /// Of a task as its defaults make it.
  let prototype: TaskDescription
  private let firstIndex: Int

  init(_ builder: DAGBuilder, id: String, prefix: String, defaults: TaskDefaults, prototype: TaskDescription) {
    self.builder = builder
    self.id = id
    self.prefix = prefix
    self.defaults = defaults
    self.prototype = prototype
    firstIndex = builder.description.tasks.count
  }

  /// The tasks that nothing in the group comes before, and those that nothing in it comes after. In place of a teardown
  /// what it follows, setups left aside: the work after the group does not wait for it, as in Airflow.
  func ends() -> (first: [TaskReference], last: [TaskReference]) {
    let indices = firstIndex..<builder.description.tasks.count
    var hasFollower = Set<Int>()
    var first: [Int] = []
    for index in indices {
      let inside = builder.upstream[index].map(Int.init).filter(indices.contains)
      if inside.isEmpty { first.append(index) }
      hasFollower.formUnion(inside)
    }
    var last: [Int] = []
    var seen: Set<Int> = []
    var pending = indices.reversed().filter { !hasFollower.contains($0) }
    while let index = pending.popLast() {
      guard seen.insert(index).inserted else { continue }
      guard case .teardown = builder.description.tasks[index].role else {
        last.append(index)
        continue
      }
      pending += builder.upstream[index].map(Int.init).reversed().filter {
        indices.contains($0) && builder.description.tasks[$0].role != .setup
      }
    }
    func references(_ indices: [Int]) -> [TaskReference] {
      indices.map { TaskReference(builder: builder, index: $0) }
    }
    return (references(first), references(last.sorted()))
  }
}
