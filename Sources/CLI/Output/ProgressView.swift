import Control
import Dagrun
import Model
import Presentation
import Scheduling

/// Shows a run as it proceeds: on a terminal a few lines drawn again and again, otherwise a line per movement.
///
/// Not thread-safe: one task owns it.
struct ProgressView {
  private let output: Output
  private var last: RunProgress?
  private var running: [(taskID: String, since: Timestamp)] = []
  /// Lines of the drawn block that the next drawing replaces.
  private var drawnLines = 0
  private var lastDrawing: Timestamp?
  /// Redraw for movement at most this often; a fast run would otherwise spend its time on the terminal.
  private let redrawIntervalSeconds = 0.05
  private let shownRunningTasks = 6

  init(output: Output) { self.output = output }

  mutating func report(_ progress: RunProgress, now: Timestamp) {
    last = progress
    for task in progress.moved { move(task) }
    if output.isTerminal {
      if progress.isFinal {
        erase()
      } else if lastDrawing.map({ now.seconds(since: $0) >= redrawIntervalSeconds }) ?? true {
        draw(now: now)
      }
    }
  }

  /// Time has passed: durations on a terminal grow.
  mutating func tick(now: Timestamp) {
    guard output.isTerminal, let last, !last.isFinal else { return }
    draw(now: now)
  }

  /// Removes the drawn block, so that an error or a summary stands alone.
  mutating func erase() {
    output.raw(erasure())
  }

  private mutating func erasure() -> String {
    guard drawnLines > 0 else { return "" }
    defer { drawnLines = 0 }
    return "\u{1B}[\(drawnLines)A\r\u{1B}[J"
  }

  private mutating func move(_ task: RunProgress.MovedTask) {
    running.removeAll { $0.taskID == task.taskID }
    if task.state == .running { running.append((task.taskID, task.at)) }
    if output.isTerminal {
      // What went wrong stays on the screen, above the drawn block.
      switch task.state {
      case .failed, .upForRetry:
        erase()
        output.line(line(for: task))
      default: break
      }
    } else {
      output.line("\(task.at.iso8601) \(line(for: task))")
    }
  }

  private func line(for task: RunProgress.MovedTask) -> String {
    var text = "\(task.taskID) \(output.style.state(task.state.rawValue))"
    if task.tryNumber > 1 { text += " (try \(task.tryNumber))" }
    if let reason = task.reason { text += ": \(reason)" }
    return text
  }

  private mutating func draw(now: Timestamp) {
    guard let last else { return }
    lastDrawing = now
    let width = max(20, output.columns ?? 80)
    var lines = [heading(last, now: now), bar(last, width: width)]
    for task in running.suffix(shownRunningTasks) {
      let duration = Durations.text(now.seconds(since: task.since))
      lines.append("  ▸ \(TextWidth.truncate(task.taskID, to: width - 20))  \(output.style.dim(duration))")
    }
    if running.count > shownRunningTasks { lines.append("  … and \(running.count - shownRunningTasks) more") }
    // In one go, so that nothing flickers.
    output.raw(erasure() + ShownText.finish(lines.joined(separator: "\n")) + "\n")
    drawnLines = lines.count
  }

  private func heading(_ progress: RunProgress, now: Timestamp) -> String {
    let elapsed = progress.run.startDate.map { "  " + Durations.text(now.seconds(since: $0)) } ?? ""
    return "\(output.style.bold(progress.run.dagID)) \(progress.run.runID)\(output.style.dim(elapsed))"
  }

  private func bar(_ progress: RunProgress, width: Int) -> String {
    let total = progress.counts.values.reduce(0, +)
    let done = progress.counts.reduce(0) { $0 + (TaskState(rawValue: $1.key)?.isFinished == true ? $1.value : 0) }
    let cells = min(24, width / 3)
    let filled = total == 0 ? 0 : cells * done / total
    let bar = String(repeating: "━", count: filled) + output.style.dim(String(repeating: "─", count: cells - filled))
    return "  \(bar) \(done)/\(total)  \(Self.counts(progress.counts, style: output.style))"
  }

  /// `3 running, 12 success`, in the order in which states follow each other.
  static func counts(_ counts: [String: Int], style: Style) -> String {
    TaskState.allCases.compactMap { state in
      guard let count = counts[state.rawValue], count > 0 else { return nil }
      let name = state == .none ? "waiting" : state.rawValue
      return "\(count) \(style.state(name))"
    }.joined(separator: ", ")
  }

  /// The last line of a followed run.
  static func summary(_ run: RunSummary, counts: [String: Int], style: Style) -> String {
    var text = "run \(run.runID) of \(run.dagID): \(style.state(run.state.rawValue))"
    if let start = run.startDate, let end = run.endDate {
      text += " after \(Durations.text(end.seconds(since: start)))"
    }
    let counts = Self.counts(counts, style: style)
    return counts.isEmpty ? text : "\(text) (\(counts))"
  }
}
