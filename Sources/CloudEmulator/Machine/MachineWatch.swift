internal import Dispatch
internal import Processes

/// Descriptors of all VMs, waited for together: one source of Dispatch, however many VMs there are.
final class MachineWatch: @unchecked Sendable {
  /// Everything here happens on it.
  let queue = DispatchQueue(label: "virtual machines")
  private let poller: Poller
  private let source: any DispatchSourceRead
  private var watchers: [UInt64: (descriptor: Int32, body: () -> Void)] = [:]
  private var lastToken: UInt64 = 0

  init() throws {
    let poller = try Poller()
    self.poller = poller
    source = DispatchSource.makeReadSource(fileDescriptor: poller.descriptor, queue: queue)
    source.setEventHandler { [weak self] in self?.readAll() }
    // It must be open as long as it is watched.
    source.setCancelHandler { withExtendedLifetime(poller) {} }
    source.activate()
  }

  deinit { source.cancel() }

  /// Calls back whenever there is something to read, or the end of it.
  func watch(_ descriptor: Int32, _ body: @escaping () -> Void) throws -> UInt64 {
    dispatchPrecondition(condition: .onQueue(queue))
    lastToken += 1
    try poller.add(descriptor, token: lastToken)
    watchers[lastToken] = (descriptor, body)
    return lastToken
  }

  /// Before the descriptor is closed.
  func unwatch(_ token: UInt64) {
    dispatchPrecondition(condition: .onQueue(queue))
    if let watcher = watchers.removeValue(forKey: token) { poller.remove(watcher.descriptor) }
  }

  private func readAll() { _ = poller.poll(milliseconds: 0) { token, _ in watchers[token]?.body() } }
}
