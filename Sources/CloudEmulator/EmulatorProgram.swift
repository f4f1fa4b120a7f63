internal import Dispatch
package import Logging

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// What `dagrun emulator` does: an emulator until it is told to end.
package enum EmulatorProgram {
  /// Returns after SIGINT or SIGTERM, when all VMs and connections are gone.
  ///
  /// - Parameter announce: called once it listens.
  package static func run(
    _ options: EmulatorOptions, logger: Logger = Logger(label: "dagrun.emulator"),
    announce: (CloudEmulator) -> Void
  ) async throws {
    let emulator = try await CloudEmulator.start(options, logger: logger)
    announce(emulator)
    await firstSignal(of: [SIGINT, SIGTERM])
    await emulator.stop()
  }

  /// What a shell takes to come here: `export NAME=VALUE`, a line each.
  package static func exports(of emulator: CloudEmulator) -> String {
    emulator.environment.sorted { $0.key < $1.key }.map { "export \($0.key)=\($0.value)" }.joined(separator: "\n")
  }

  private static func firstSignal(of signals: [Int32]) async {
    let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
    let sources = signals.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { continuation.yield(number) }
      source.resume()
      return source
    }
    for await _ in stream { break }
    for source in sources { source.cancel() }
  }
}
