internal import CLinux

/// Calls back when this process calls `exit`, with the code it was given, on the thread that does.
package func onExit(_ callback: @escaping @convention(c) (Int32) -> Void) { _ = clinux_on_exit(callback) }

/// Standard output is written line by line, also to a file.
package func lineBufferStandardOutput() { clinux_line_buffer_stdout() }

/// Writes what streams still hold.
///
/// - Returns: nil when all that was written to the standard ones since the last call is where it belongs; otherwise the
///   code of what failed, or 0 where that is not known.
package func flushStreams() -> Int32? {
  let code = clinux_flush_streams()
  return code < 0 ? nil : code
}
