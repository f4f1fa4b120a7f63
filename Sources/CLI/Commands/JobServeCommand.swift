import ArgumentParser
import Dispatch
import Foundation
import JobControl
import Presentation
import Processes
import Synchronization

struct JobServeCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Drives many jobs for another scheduler, such as Airflow's triggerer.",
    discussion: """
      Reads one JSON object a line: {"attach": NAME, "project": PROJECT}, {"cancel": NAME}, {"taken": NAME}, \
      {"leave": NAME}. Writes one a line: {"job": NAME, "event": EVENT, …}, where EVENT is log, note, began, ended, failed \
      or left; and {"event": "refused", …} for any other line. At the end of the input, and by Ctrl-C and \
      SIGTERM, it leaves all jobs and cancels none (docs/jobs.md).
      """)

  @Option(help: ArgumentHelp("What machines cost.", valueName: "file"), completion: .file()) var prices: String?
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let server = try server(session)
    let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
    let interruption = Interruption { server.leave { continuation.finish() } }
    defer { interruption.end() }
    Thread.detachNewThread {
      Self.readLines { server.handle(line: $0) }
      server.leave { continuation.finish() }
    }
    for await _ in ends {}
    return .success
  }

  private func server(_ session: Session) throws -> JobServer {
    let context = try JobContext(session, global)
    let errors = session.errors
    return JobServer(
      try context.repository(), try context.runner(prices: prices),
      cannotSeeCancelRequests: { errors.line("'dagrun job cancel' will have no effect on these jobs: \($0)") }
    ) { event in
      // The reader may be dead before what was cancelled is removed.
      Self.write(JSONText.compact(.object(event.record)) + "\n")
    }
  }

  private static func readLines(_ handle: (String) -> Void) {
    var rest: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = read(STDIN_FILENO, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      rest += buffer[..<count]
      while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: rest[..<newline], as: UTF8.self)
        rest.removeFirst(newline + 1)
        if line.contains(where: { !$0.isWhitespace }) { handle(line) }
      }
    }
  }

  private static func write(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let written = Foundation.write(STDOUT_FILENO, rest.baseAddress, rest.count)
        if written > 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        } else if errno != EINTR {
          return false
        }
      }
      return true
    }
  }
}
