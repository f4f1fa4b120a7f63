internal import CLinux

/// Calls back when this process calls `exit`, with the code it was given, on the thread that does.
package func onExit(_ callback: @escaping @convention(c) (Int32) -> Void) { _ = clinux_on_exit(callback) }

/// Standard output is written line by line, also to a file.
package func lineBufferStandardOutput() { clinux_line_buffer_stdout() }
