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
    let task = TaskOfJob(dagID: "nightly", runID: "manual__1", taskID: "train_model", tryNumber: 2, run: 7)
    let name = JobName.of(task, homeID: "home")
    #expect(name == JobName.of(task, homeID: "home"))
    #expect(name.hasPrefix("nightly-train-model-try2-"))
    var others = [JobName.of(task, homeID: "other"), JobName.of(task, homeID: "home", member: 1)]
    for change in [\TaskOfJob.dagID, \.runID, \.taskID] as [WritableKeyPath<TaskOfJob, String>] {
      var other = task
      other[keyPath: change] += "x"
      others.append(JobName.of(other, homeID: "home"))
    }
    var third = task
    third.tryNumber = 3
    others.append(JobName.of(third, homeID: "home"))
    #expect(Set(others + [name]).count == 7)
  }

  @Test func `the longest ids make a name that Google takes with an attempt behind`() {
    let long = String(repeating: "Très_long.", count: 30)
    let task = TaskOfJob(dagID: long, runID: long, taskID: long, tryNumber: 1234, run: 1)
    let name = JobName.of(task, homeID: long, member: 100_000)
    #expect(JobName.problem(name) == nil, "\(name)")
    #expect("\(name)-1000000".count <= 58)
  }
}
