import Foundation
import Presentation

/// Where text goes: a terminal, a pipe, or a test. All that a command says passes through here, and control characters
/// in it are shown as `\x1b`, whoever has put them there; see `ShownText`.
struct Output: Sendable {
  var isTerminal: Bool
  /// Columns of the terminal; nil elsewhere.
  var columns: Int?
  var style: Style
  /// A result, or a log, that somebody reads; not what is said beside it.
  private(set) var isStandardOutput = false
  private var sink: @Sendable (String) -> Void
  private let openLine = OpenLine()

  init(isTerminal: Bool, columns: Int? = nil, isColoured: Bool = false, sink: @escaping @Sendable (String) -> Void) {
    self.isTerminal = isTerminal
    self.columns = columns
    self.style = Style(isColoured: isColoured)
    self.sink = sink
  }

  /// Logs go to a terminal as their tasks have written them.
  var sendsRawLogs = false

  /// Text of any number of lines.
  func write(_ text: String) { sink(ShownText.finish(text)) }

  /// One line, also when what it tells has several: nothing can look like a further line of dagrun's.
  func line(_ text: String = "") { sink(openLine.end + ShownText.finish(text, keepsLines: false) + "\n") }

  /// A sentence that may have further lines, such as what to do: they are indented, so that they do not look like
  /// others.
  func paragraph(_ text: String) {
    let lines = text.split(whereSeparator: \.isNewline).map { ShownText.finish(String($0), keepsLines: false) }
    sink(openLine.end + lines.joined(separator: "\n  ") + "\n")
  }

  /// JSON or YAML, which reads the same with its control characters escaped.
  func data(_ text: String) { sink(ShownText.escape(text, as: .data)) }

  /// What a task or a job has printed, or a value as it is stored: for a program as it is.
  func log(_ text: String) {
    openLine.note(text)
    sink(isTerminal && !sendsRawLogs ? ShownText.escape(text) : text)
  }

  /// The text as it is: what moves the cursor.
  func raw(_ text: String) { sink(text) }

  /// One of the process's own descriptors.
  static func descriptor(_ descriptor: Int32, environment: [String: String]) -> Output {
    let isTerminal = isatty(descriptor) == 1
    // https://no-color.org: present and not empty.
    let wantsNoColour = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
    var output = Output(
      isTerminal: isTerminal, columns: isTerminal ? terminalColumns(descriptor) : nil,
      isColoured: isTerminal && !wantsNoColour
    ) { text in
      writeAll(text, to: descriptor, isTerminal: isTerminal)
    }
    output.isStandardOutput = descriptor == STDOUT_FILENO
    return output
  }

  private static func terminalColumns(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Of standard error, whose reader went away, there is nobody to tell: what is said there is dropped, and the work
  /// continues. `OutputLoss` says what a result that cannot be written means.
  static func writeAll(_ text: String, to descriptor: Int32, isTerminal: Bool) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if written > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
          continue
        }
        let code = errno
        switch code {
        case EINTR: continue
        case EAGAIN:
          // Whoever shares the descriptor may have made it so that it does not wait.
          var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&entry, 1, -1)
        default:
          if descriptor == STDOUT_FILENO { OutputLoss.happened(code, isTerminal: isTerminal) }
          return
        }
      }
    }
  }
}
