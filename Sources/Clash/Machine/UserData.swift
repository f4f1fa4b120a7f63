internal import Foundation
package import GoogleCloud

/// What Google takes as metadata: https://cloud.google.com/compute/docs/metadata/setting-custom-metadata#limitations
enum MetadataLimits {
  static let valueBytes = 256 * 1_024
  static let allBytes = 512 * 1_000

  static func size(of items: [InstanceMetadata.Item]) -> Int {
    items.reduce(0) { $0 + $1.key.utf8.count + ($1.value?.utf8.count ?? 0) }
  }
}

/// The cloud-config of a job's VM. It is plain ASCII: what is in a file is base64, and paths hold a job's name only.
///
/// Files that would make it too long go into metadata values of their own, from which the runner puts them together.
package struct UserData: Hashable, Sendable {
  package let text: String
  package let items: [InstanceMetadata.Item]

  init(files: MachineFiles, job: String) throws(JobMachineError) {
    var inside = files.values
    var pieces: [String: Int] = [:]
    var items: [InstanceMetadata.Item] = []
    var text = Self.text(files, inside)
    while text.utf8.count > MetadataLimits.valueBytes,
      let largest = inside.max(by: { $0.contents.count < $1.contents.count })
    {
      inside.removeAll { $0.path == largest.path }
      let name = largest.path.split(separator: "/").last.map(String.init) ?? ""
      let parts = Self.pieces(of: largest.contents.base64EncodedString())
      pieces[name] = parts.count
      items += parts.enumerated().map { .init(key: "dagrun-file-\(name)-\($0.offset)", value: $0.element) }
      text = Self.text(files, inside, pieces: pieces)
    }
    let size = MetadataLimits.size(of: items) + text.utf8.count
    guard size <= MetadataLimits.allBytes - 1_000 else {
      throw JobMachineError(
        "the job \(job) brings \(size / 1_000) kB of script, arguments and environment, and a VM's metadata holds 512 kB",
        hint: "put the script or its data into the image, or into a bucket and mount that")
    }
    self.text = text
    self.items = items
  }

  private static func pieces(of base64: String) -> [String] {
    let bytes = Array(base64.utf8)
    return stride(from: 0, to: bytes.count, by: 240_000).map {
      String(decoding: bytes[$0..<min($0 + 240_000, bytes.count)], as: UTF8.self)
    }
  }

  private static func text(
    _ files: MachineFiles, _ inside: [MachineFile], pieces: [String: Int] = [:]
  ) -> String {
    var lines = ["#cloud-config", "# Written by dagrun.", "write_files:"]
    for file in [files.runner, files.settingsFile(pieces: pieces)] + inside + [files.unitFile] {
      lines += [
        "- path: \(file.path)", "  permissions: \"\(file.permissions)\"", "  encoding: b64",
        "  content: \"\(file.contents.base64EncodedString())\"",
      ]
    }
    lines += [
      "runcmd:",
      "- [systemctl, daemon-reload]",
      "- [systemctl, enable, \(MachineFiles.unitName)]",
      "- [systemctl, start, --no-block, \(MachineFiles.unitName)]",
    ]
    return lines.joined(separator: "\n") + "\n"
  }
}
