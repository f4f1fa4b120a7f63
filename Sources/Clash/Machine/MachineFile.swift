package import Foundation

/// A file on the VM, as the user-data writes it.
package struct MachineFile: Hashable, Sendable {
  package var path: String
  /// Such as `0600`.
  package var permissions: String
  package var contents: Data

  package init(path: String, permissions: String, contents: Data) {
    self.path = path
    self.permissions = permissions
    self.contents = contents
  }
}

/// Values for the runner: one after the other, each followed by a zero byte, so that `mapfile -d ''` reads them whole
/// whatever they hold.
struct ZeroTerminated {
  private(set) var data = Data()

  init(_ values: [String] = []) { for value in values { append(value) } }

  mutating func append(_ value: String) {
    data.append(contentsOf: value.utf8)
    data.append(0)
  }
}
