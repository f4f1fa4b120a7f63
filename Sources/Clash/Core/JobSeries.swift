/// One of the jobs that the tries of another scheduler's task begin: `BASE-1`, `BASE-2`, …
///
/// Such a scheduler repeats a task whose worker has died, maybe on another machine, and knows nothing of what the
/// worker had begun. The next try finds it by its name: it continues with what runs, or takes the result that waits,
/// and begins the next job only when the one before it is over.
package struct JobSeries: Codable, Hashable, Sendable {
  package let base: String
  /// From 1.
  package let number: Int

  package init(base: String, number: Int) {
    self.base = base
    self.number = number
  }

  package var name: String { Self.name(base, number) }

  package static func name(_ base: String, _ number: Int) -> String { "\(base)-\(number)" }

  /// nil for a name that does not belong to the base.
  package static func number(of name: String, base: String) -> Int? {
    guard name.hasPrefix(base + "-"), let number = Int(name.dropFirst(base.count + 1)), (1...highest).contains(number),
      // Neither "+1" nor "01".
      Self.name(base, number) == name
    else { return nil }
    return number
  }

  /// So that the name of the highest has room.
  package static let longestBase = JobName.longest - 4
  package static let highest = 999

  /// What is wrong with it, and what to do; nil when nothing is.
  package var problem: String? {
    guard (1...Self.highest).contains(number) else {
      return "attempt \(number) is none: they are counted from 1 to \(Self.highest)"
    }
    if base.utf8.count > Self.longestBase {
      return "\"\(base)\" has \(base.utf8.count) characters, and a name with attempts at most \(Self.longestBase): "
        + "shorten it"
    }
    return JobName.problem(name)
  }
}

extension JobSeries {
  /// The base of a task's jobs, always the same for the same task of the same run of one home.
  package static func base(ofTask taskID: String, dagID: String, runID: String, homeID: String) -> String {
    JobName.distinct("\(dagID)-\(taskID)", of: [homeID, dagID, runID, taskID], longest: longestBase)
  }

  /// The base of one job of a group, from 1.
  package static func base(_ base: String, member: Int) -> String {
    let tail = "-m\(member)"
    let whole = base + tail
    if whole.utf8.count <= longestBase { return whole }
    return JobName.distinct(base, of: [base], longest: longestBase - tail.utf8.count) + tail
  }
}

// MARK: - Which one to resume

extension JobSeries {
  /// What is known of one job of a series.
  package enum AttemptStatus: Hashable, Sendable, CaseIterable {
    /// In this home's journal, with something in the cloud, or maybe.
    case unfinished
    /// The same, and it is being removed because somebody cancelled it.
    case beingCancelled
    /// It has ended, and nobody has taken its result.
    case resultWaits
    /// Its result was taken, or it ended without one for anybody: cancelled, or brought to its end by another home.
    case over
    /// Another home began it, and it can be resumed from here.
    case elsewhere
    /// Another home's, with nothing to resume: its name cannot be used.
    case remains
  }

  package enum Step: Hashable, Sendable {
    /// It is in the journal: drive it on.
    case resume(Int)
    /// In the journal too: everything of it goes, and then what comes next is asked again.
    case finishCancelling(Int)
    case attach(Int)
    case report(Int)
    case begin(Int)
    /// All numbers are used up.
    case none
  }

  /// What a try does. There is never a second machine: a job that lives is resumed, whatever its number, and only then
  /// does a result or a new job count.
  ///
  /// - Parameters:
  ///   - number: the try's own.
  ///   - known: all of which anything is known.
  package static func next(number: Int, known: [Int: AttemptStatus]) -> Step {
    func newest(_ statuses: Set<AttemptStatus>) -> Int? {
      known.filter { statuses.contains($0.value) }.keys.max()
    }
    // Its machine may be on still.
    if let leaving = newest([.beingCancelled]) { return .finishCancelling(leaving) }
    if let living = newest([.unfinished, .elsewhere]) {
      return known[living] == .elsewhere ? .attach(living) : .resume(living)
    }
    // An older result than that of the last job is nobody's any more.
    if let last = newest([.resultWaits, .over]), known[last] == .resultWaits { return .report(last) }
    var free = max(number, 1)
    while known[free] != nil { free += 1 }
    return free <= highest ? .begin(free) : .none
  }
}
