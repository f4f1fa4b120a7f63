internal import Foundation
package import GoogleCloud

/// What `dagrun job render` prints: all that would be sent, and all that the VM would run. Nothing is sent.
package struct JobRendering: Hashable, Sendable {
  package let template: InstanceTemplate
  package let group: InstanceGroupManager
  package let scope: Scope
  package let userData: String
  package let unit: String
  package let runner: String
  /// Path on the VM -> contents, in the order in which they are written.
  package let files: [MachineFile]

  package init(_ machine: JobMachine) {
    template = machine.template
    group = machine.group
    scope = machine.offer.scope
    userData = machine.userData
    unit = machine.files.unit
    runner = RunnerScript.text
    files = machine.files.all
  }

  /// JSON as it is sent.
  package var templateJSON: String { Self.json(template) }
  package var groupJSON: String { Self.json(group) }

  private static func json(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // These types hold strings, numbers and booleans only, which always encode.
    guard let data = try? encoder.encode(value) else { preconditionFailure("\(type(of: value)) does not encode") }
    return String(decoding: data, as: UTF8.self)
  }
}
