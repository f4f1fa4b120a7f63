internal import Dispatch
internal import Foundation

/// Whether VMs can be had on this machine: boots one, and takes its power away.
package enum MachineProbe {
  /// - Parameters:
  ///   - program: as in `MachineOptions`.
  ///   - folder: where its folder is made and removed.
  /// - Returns: why not; nil: it was up.
  package static func problem(program: [String], in folder: String, timeoutSeconds: Double = 20) async -> String? {
    let place = folder + "/dagrun-probe-" + UUID().uuidString
    defer { removeFolder(place) }
    let options = MachineOptions(program: program) { _, _ in MachineToken(value: "", expiresAt: .distantPast) }
    let description = VirtualMachineDescription(
      project: "probe", zone: "probe", name: "probe", id: 1, machineType: "probe", isSpot: false, metadata: [:],
      serviceAccount: "default", scopes: [], folder: place)
    let (events, told) = AsyncStream.makeStream(of: VirtualMachineEvent.self)
    do {
      let machine = try ProcessMachines(options).boot(description) { event in
        told.yield(event)
        if case .ended = event { told.finish() }
      }
      let timer = DispatchWorkItem { machine.kill() }
      DispatchQueue.global().asyncAfter(deadline: .now() + timeoutSeconds, execute: timer)
      defer { timer.cancel() }
      var isUp = false
      for await event in events {
        switch event {
        case .booted:
          isUp = true
          machine.kill()
        case .ended(.failed(let reason)): return isUp ? nil : reason
        case .ended: return isUp ? nil : "it was not up within \(Int(timeoutSeconds)) seconds"
        }
      }
      return isUp ? nil : "it has told nothing"
    } catch {
      return "\(error)"
    }
  }
}
