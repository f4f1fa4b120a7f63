/// Colour and weight, where the reader is a terminal that wants them.
package struct Style: Sendable {
  package var isColoured: Bool

  package init(isColoured: Bool) { self.isColoured = isColoured }

  package func bold(_ text: String) -> String { wrap(text, "1") }
  package func dim(_ text: String) -> String { wrap(text, "2") }
  package func red(_ text: String) -> String { wrap(text, "31") }
  package func green(_ text: String) -> String { wrap(text, "32") }
  package func yellow(_ text: String) -> String { wrap(text, "33") }
  package func cyan(_ text: String) -> String { wrap(text, "36") }

  /// The state of a run or a task in its colour; Airflow's, as near as a terminal has them.
  package func state(_ state: String) -> String {
    switch state {
    case "success": green(state)
    case "failed": red(state)
    case "running", "restarting": cyan(state)
    case "upstream_failed", "up_for_retry", "up_for_reschedule": yellow(state)
    case "skipped", "removed", "none": dim(state)
    default: state
    }
  }

  private func wrap(_ text: String, _ code: String) -> String {
    isColoured && !text.isEmpty ? "\(ShownText.mark)[\(code)m\(text)\(ShownText.mark)[0m" : text
  }
}
