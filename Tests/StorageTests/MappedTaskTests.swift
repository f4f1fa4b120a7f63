import Dagrun
import Model
import Scheduling
import Storage
import Testing

@Suite struct MappedTaskTests {
  private let folder = Folder(inMemory: true)
  private let store: Store

  init() throws {
    store = try Store(path: folder.database)
    try store.add(tasks: ["list", "rows", "total"])
    let tasks = [task("list", .success, tryNumber: 1), task("rows"), task("total")]
    try store.commit([.runCreated(RunSnapshot(run: run(1), tasks: tasks))])
  }

  private func creation(
    _ indices: Range<Int32>, for replaced: InstanceCreation.Replaced? = InstanceCreation.Replaced(.none, tryNumber: 0)
  ) -> Change {
    .instancesCreated(
      InstanceCreation(
        run: 1, taskID: "rows", indices: indices, instance: task("rows", .scheduled), replaced: replaced))
  }

  private func mapped(_ index: Int32) -> TaskInstanceKey { TaskInstanceKey(run: 1, taskID: "rows", mapIndex: index) }

  private func names() throws -> [String] {
    let fromSnapshot = try store.snapshot().runs[0].tasks.map {
      TaskInstanceKey(run: 1, taskID: $0.taskID, mapIndex: $0.mapIndex).name
    }
    #expect(try store.taskInstances(run: 1).map(\.key.name) == fromSnapshot)
    return fromSnapshot
  }

  @Test func `instances take the place of the one that stood for them`() throws {
    try store.commit([creation(0..<3)])
    #expect(try names() == ["list", "rows[0]", "rows[1]", "rows[2]", "total"])
    try store.commit([creation(3..<5, for: nil)])
    #expect(try names() == ["list"] + (0..<5).map { "rows[\($0)]" } + ["total"])
    #expect(try store.taskInstance(mapped(4))?.instance.state == .scheduled)
    #expect(try store.taskInstance(key("rows")) == nil)
  }

  @Test func `they do not replace what is not as expected`() throws {
    #expect(throws: StoreError.self) {
      try store.commit([creation(0..<3, for: InstanceCreation.Replaced(.skipped, tryNumber: 0))])
    }
    #expect(try names() == ["list", "rows", "total"])
  }

  @Test func `a run that is planned anew keeps its instances, and their order`() throws {
    try store.commit([creation(0..<2)])
    var snapshot = try store.snapshot().runs[0]
    try store.commit([.runReplanned(snapshot)])
    #expect(try store.snapshot().runs[0] == snapshot)
    snapshot.tasks.removeAll { $0.mapIndex == 1 }
    try store.commit([.runReplanned(snapshot)])
    #expect(try names() == ["list", "rows[0]", "total"])
  }

  @Test func `outputs of instances come in the order of the elements, and lengths are kept`() throws {
    try store.commit([creation(0..<12)])
    for index in [11, 2, 0] as [Int32] {
      var done = task("rows", .success, tryNumber: 1)
      (done.mapIndex, done.output) = (index, .list(count: 4))
      done.startDate = at(1)
      try store.commit([
        .taskChanged(TaskTransition(key: mapped(index), from: .scheduled, fromTry: 0, to: done)),
        .outputStored(mapped(index), json: "\(index)"),
      ])
    }
    #expect(try store.mappedOutputs(run: 1, taskID: "rows") == ["0", "2", "11"])
    #expect(try store.output(mapped(2)) == "2" && store.output(key("rows")) == nil)
    let lengths = try store.snapshot().runs[0].tasks.filter { $0.taskID == "rows" }.compactMap(\.output)
    #expect(lengths == [.list(count: 4), .list(count: 4), .list(count: 4)])
  }
}
