import Logging
import WaitSupport

/// What an engine has logged, for tests that wait for it to say something.
struct RecordedLog: LogHandler {
  let messages: WatchedState<[String]>
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.info

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { messages.withLock { $0.append("\(event.message)") } }
}
