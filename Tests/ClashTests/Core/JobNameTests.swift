import Model
import Testing

@testable import Clash

@Suite struct JobNameTests {
  @Test(arguments: ["abc", "train-1", String(repeating: "a", count: 50)])
  func `a plain name is a job's`(name: String) { #expect(JobName.problem(name) == nil) }

  @Test(arguments: [
    "", "ab", "Train", "1abc", "-abc", "abc-", "a_b", "zug\u{fc}", "a b", "abc\n", "google-1",
    String(repeating: "a", count: 51),
  ])
  func `any other name is refused with a reason`(name: String) { #expect(JobName.problem(name) != nil) }

  @Test(arguments: ["Train the Model!", "", "123", "---", "Größe", "google", String(repeating: "x-", count: 60), "🚆"])
  func `any prefix makes a name`(prefix: String) {
    var random = SplitMix(seed: 1)
    let names = (0..<50).map { _ in JobName.random(prefix: prefix, using: &random) }
    for name in names { #expect(JobName.problem(name) == nil, "\(name)") }
    #expect(Set(names).count == 50)
  }

  @Test func `a task's try has one name, readable and its own`() {
    let task = JobTask(
      dagID: "nightly", runID: "manual__1", key: TryKey(run: 7, taskID: "train_model", number: 2))
    let name = JobName.of(task, homeID: "home")
    #expect(name == JobName.of(task, homeID: "home"))
    #expect(name.hasPrefix("nightly-train-model-try2-"))
    var others = [JobName.of(task, homeID: "other")]
    for change in [\JobTask.dagID, \.runID, \.key.instance.taskID] as [WritableKeyPath<JobTask, String>] {
      var other = task
      other[keyPath: change] += "x"
      others.append(JobName.of(other, homeID: "home"))
    }
    for key in [
      TryKey(task.key.instance, 3), task.key.member(1), TryKey(.init(run: 7, taskID: "train_model", mapIndex: 0), 2),
    ] {
      var other = task
      other.key = key
      others.append(JobName.of(other, homeID: "home"))
    }
    #expect(Set(others + [name]).count == 8)
  }

  @Test func `the longest ids make a name that Google takes with an attempt behind`() {
    let long = String(repeating: "Très_long.", count: 30)
    let task = JobTask(
      dagID: long, runID: long, key: TryKey(run: 1, taskID: long, number: 1234).member(100_000))
    let name = JobName.of(task, homeID: long)
    #expect(JobName.problem(name) == nil, "\(name)")
    #expect("\(name)-1000000".count <= 58)
  }
}
