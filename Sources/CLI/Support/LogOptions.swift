import ArgumentParser

/// How a command shows what tasks and jobs have printed.
struct LogOptions: ParsableArguments {
  @Flag(help: "Send a terminal the control characters of the log too, instead of showing them as \\x1b.")
  var raw = false

  func session(_ session: Session) -> Session {
    var session = session
    session.output.sendsRawLogs = raw
    session.errors.sendsRawLogs = raw
    return session
  }
}
