import Foundation

/// Where text goes: a terminal, a pipe, or a test.
struct Output: Sendable {
  var isTerminal: Bool
  /// Columns of the terminal; nil elsewhere.
  var columns: Int?
  var style: Style
  private var sink: @Sendable (String) -> Void

  init(isTerminal: Bool, columns: Int? = nil, isColoured: Bool = false, sink: @escaping @Sendable (String) -> Void) {
    self.isTerminal = isTerminal
    self.columns = columns
    self.style = Style(isColoured: isColoured)
    self.sink = sink
  }

  /// The text as it is.
  func write(_ text: String) { sink(text) }

  func line(_ text: String = "") { sink(text + "\n") }

  /// One of the process's own descriptors.
  static func descriptor(_ descriptor: Int32, environment: [String: String]) -> Output {
    let isTerminal = isatty(descriptor) == 1
    // https://no-color.org: present and not empty.
    let wantsNoColour = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
    return Output(
      isTerminal: isTerminal, columns: isTerminal ? terminalColumns(descriptor) : nil,
      isColoured: isTerminal && !wantsNoColour
    ) { text in
      writeAll(text, to: descriptor)
    }
  }

  private static func terminalColumns(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// A reader that went away ends us by SIGPIPE, as it should. A result that is not there in full is no success, so any
  /// other failure to write one ends the command; of standard error there is nobody to tell.
  private static func writeAll(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
        if written > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        } else if errno != EINTR {
          guard descriptor == STDOUT_FILENO else { return }
          let complaint = Complaint(
            .unavailable, "cannot write to the standard output: \(String(cString: strerror(errno)))",
            hint: "the result is not complete; nothing else was lost")
          writeAll(complaint.text, to: STDERR_FILENO)
          _exit(complaint.status.rawValue)
        }
      }
    }
  }
}
