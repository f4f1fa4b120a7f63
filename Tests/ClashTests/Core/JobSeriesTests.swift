import Testing

@testable import Clash

@Suite struct JobSeriesTests {
  @Test func `the jobs of a task are called by its run, and no other's`() {
    let base = JobSeries.base(ofTask: "train_GPU", dagID: "nightly", runID: "manual__1", homeID: "h")
    #expect(base.hasPrefix("nightly-train-gpu-") && JobSeries(base: base, number: 1).problem == nil)
    #expect(base == JobSeries.base(ofTask: "train_GPU", dagID: "nightly", runID: "manual__1", homeID: "h"))
    #expect(base != JobSeries.base(ofTask: "train_GPU", dagID: "nightly", runID: "manual__2", homeID: "h"))
    #expect(base != JobSeries.base(ofTask: "train_GPU", dagID: "nightly", runID: "manual__1", homeID: "i"))
    let long = JobSeries.base(
      ofTask: String(repeating: "t", count: 200), dagID: "DAG", runID: "manual__1", homeID: "h")
    #expect(JobSeries(base: long, number: JobSeries.highest).problem == nil)
  }

  @Test(arguments: ["ab", "a-base-that-is-as-long-as-it-may-be-abcdefghij", String(repeating: "x", count: 46)])
  func `the members of a group have names of their own, however long the group's is`(base: String) {
    let members = (1...999).map { JobSeries.base(base, member: $0) }
    #expect(Set(members).count == 999)
    #expect(members.allSatisfy { JobSeries(base: $0, number: JobSeries.highest).problem == nil })
    // Two groups whose long names begin the same.
    #expect(JobSeries.base(base, member: 1) != JobSeries.base(base.dropLast() + "z", member: 1))
  }

  /// What is known of the jobs of a series, the number of the try, and what it does.
  @Test(
    arguments: [
      ([:], 1, .begin(1)),
      ([:], 3, .begin(3)),
      // The earlier one was taken, or nobody wants it.
      ([1: .over], 2, .begin(2)),
      ([1: .over], 1, .begin(2)),
      ([1: .over, 2: .over, 4: .over], 2, .begin(3)),
      // What lives comes first, whatever its number.
      ([1: .unfinished], 2, .resume(1)),
      ([1: .unfinished], 1, .resume(1)),
      ([3: .unfinished], 1, .resume(3)),
      ([1: .elsewhere], 2, .attach(1)),
      ([1: .over, 2: .elsewhere], 3, .attach(2)),
      ([1: .unfinished, 2: .over], 3, .resume(1)),
      ([1: .elsewhere, 2: .resultWaits], 3, .attach(1)),
      // Two that live: another home continued with a newer one, and only that is of use.
      ([1: .unfinished, 2: .elsewhere], 3, .attach(2)),
      ([1: .elsewhere, 2: .unfinished], 3, .resume(2)),
      // What was cancelled goes before anything begins.
      ([1: .beingCancelled], 2, .finishCancelling(1)),
      ([1: .beingCancelled, 2: .resultWaits], 2, .finishCancelling(1)),
      ([1: .beingCancelled, 2: .unfinished], 2, .finishCancelling(1)),
      // A result waits, until there is a newer job.
      ([1: .resultWaits], 2, .report(1)),
      ([1: .resultWaits], 1, .report(1)),
      ([1: .over, 2: .resultWaits], 3, .report(2)),
      ([1: .resultWaits, 2: .over], 3, .begin(3)),
      ([1: .resultWaits, 2: .remains], 3, .report(1)),
      // A name that is taken is passed over.
      ([1: .remains], 1, .begin(2)),
      ([1: .remains], 2, .begin(2)),
      ([999: .over], 999, .none),
    ] as [([Int: JobSeries.AttemptStatus], Int, JobSeries.Step)])
  func `a try continues with what lives, then reports, then begins`(
    known: [Int: JobSeries.AttemptStatus], number: Int, step: JobSeries.Step
  ) {
    #expect(JobSeries.next(number: number, known: known) == step)
  }

  @Test func `no second machine is begun beside one that may be on`() {
    for first in JobSeries.AttemptStatus.allCases {
      for second in JobSeries.AttemptStatus.allCases {
        let known = [1: first, 2: second]
        let isOn = known.values.contains { [.unfinished, .beingCancelled, .elsewhere].contains($0) }
        for number in 1...4 {
          let step = JobSeries.next(number: number, known: known)
          guard case .begin(let begun) = step else { continue }
          #expect(!isOn && known[begun] == nil && begun >= number, "\(known) \(number) \(step)")
        }
      }
    }
  }

  @Test(
    arguments: [
      ("train-1", 1), ("train-999", 999), ("train-1000", nil), ("train-0", nil), ("train-01", nil), ("train-+1", nil),
      ("train-x", nil), ("train-1-2", nil), ("train", nil), ("rain-1", nil), ("train-", nil),
    ] as [(String, Int?)])
  func `a number is read from a name as it is written`(name: String, number: Int?) {
    #expect(JobSeries.number(of: name, base: "train") == number)
  }

  @Test(
    arguments: [
      ("train", 1, nil), ("train", 0, "from 1 to 999"), ("train", 1000, "from 1 to 999"),
      (String(repeating: "a", count: 46), 999, nil), (String(repeating: "a", count: 47), 1, "at most 46"),
      ("Train", 1, "lower-case"), ("a", 1, nil), ("", 1, "a letter first"), ("train-", 1, nil),
    ] as [(String, Int, String?)])
  func `what cannot be a series is said`(base: String, number: Int, words: String?) {
    let problem = JobSeries(base: base, number: number).problem
    guard let words else {
      #expect(problem == nil)
      return
    }
    #expect(problem?.contains(words) == true, "\(problem ?? "nothing")")
  }
}
