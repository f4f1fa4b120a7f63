/// A VM.
package struct Instance: Codable, Hashable, Sendable {
  package var name: String
  package var id: String?
  package var status: InstanceStatus?
  package var statusMessage: String?
  /// Links.
  package var zone: String?
  package var machineType: String?
  package var labels: [String: String]?
  package var metadata: InstanceMetadata?
  package var scheduling: Scheduling?
  package var networkInterfaces: [NetworkInterface]?
  /// RFC 3339.
  package var creationTimestamp: String?
  package var lastStartTimestamp: String?
  package var lastStopTimestamp: String?
  package var selfLink: String?

  package init(name: String) { self.name = name }

  package var zoneName: String? { zone.map(resourceName(ofLink:)) }

  /// The group that made it: Google notes it in the VM's metadata as `created-by`.
  package var createdBy: String? { metadata?["created-by"] }
}

/// A piece of a VM's serial console, where cloud-init and the kernel write.
package struct SerialPortOutput: Codable, Hashable, Sendable {
  package var contents: String?
  package var start: Int64String?
  /// Where the next piece starts.
  package var next: Int64String?

  package init(contents: String?, start: Int64String? = nil, next: Int64String? = nil) {
    self.contents = contents
    self.start = start
    self.next = next
  }
}

/// An image that a boot disk is made of.
package struct Image: Codable, Hashable, Sendable {
  package var name: String
  package var family: String?
  package var selfLink: String?
  package var diskSizeGb: Int64String?
  package var architecture: String?
  package var status: String?

  package init(name: String) { self.name = name }
}
