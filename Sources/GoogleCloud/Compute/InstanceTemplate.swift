/// What a VM is made of. JSON as in compute v1, only the fields that jobs use.
package struct InstanceTemplate: Codable, Hashable, Sendable {
  package var name: String
  package var description: String?
  package var properties: InstanceProperties
  package var selfLink: String?
  /// RFC 3339; only in answers.
  package var creationTimestamp: String?

  package init(name: String, description: String? = nil, properties: InstanceProperties) {
    self.name = name
    self.description = description
    self.properties = properties
  }
}

package struct InstanceProperties: Codable, Hashable, Sendable {
  /// By its name: a template is for any zone.
  package var machineType: String
  package var description: String?
  package var disks: [AttachedDisk]?
  package var networkInterfaces: [NetworkInterface]?
  package var serviceAccounts: [ServiceAccount]?
  package var scheduling: Scheduling?
  package var guestAccelerators: [AcceleratorConfig]?
  package var metadata: InstanceMetadata?
  /// Of the VM and of its disks' owner; a template itself has none.
  package var labels: [String: String]?
  package var tags: Tags?
  package var minCpuPlatform: String?
  package var shieldedInstanceConfig: ShieldedInstanceConfig?

  package init(machineType: String) { self.machineType = machineType }
}

package struct AttachedDisk: Codable, Hashable, Sendable {
  package var boot: Bool?
  package var autoDelete: Bool?
  package var type: DiskKind?
  package var mode: Mode?
  package var deviceName: String?
  package var initializeParams: InitializeParams?

  package init(boot: Bool? = nil, autoDelete: Bool? = nil, initializeParams: InitializeParams? = nil) {
    self.boot = boot
    self.autoDelete = autoDelete
    self.initializeParams = initializeParams
  }

  package struct InitializeParams: Codable, Hashable, Sendable {
    /// `projects/cos-cloud/global/images/NAME` or `…/images/family/FAMILY`.
    package var sourceImage: String?
    package var diskSizeGb: Int64String?
    /// By its name in a template: `pd-balanced`.
    package var diskType: String?
    package var labels: [String: String]?

    package init(
      sourceImage: String? = nil, diskSizeGb: Int64String? = nil, diskType: String? = nil,
      labels: [String: String]? = nil
    ) {
      self.sourceImage = sourceImage
      self.diskSizeGb = diskSizeGb
      self.diskType = diskType
      self.labels = labels
    }
  }

  package struct DiskKind: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static let persistent: Self = "PERSISTENT"
    package static let scratch: Self = "SCRATCH"
  }

  package struct Mode: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static let readWrite: Self = "READ_WRITE"
    package static let readOnly: Self = "READ_ONLY"
  }
}

package struct NetworkInterface: Codable, Hashable, Sendable {
  /// `global/networks/default`.
  package var network: String?
  /// `projects/P/regions/R/subnetworks/S`: another project's for a Shared VPC.
  package var subnetwork: String?
  /// Empty or missing: no external address.
  package var accessConfigs: [AccessConfig]?
  /// Only in answers.
  package var networkIP: String?

  package init(network: String? = nil, subnetwork: String? = nil, accessConfigs: [AccessConfig]? = nil) {
    self.network = network
    self.subnetwork = subnetwork
    self.accessConfigs = accessConfigs
  }
}

package struct AccessConfig: Codable, Hashable, Sendable {
  package var type: Kind?
  package var name: String?
  package var networkTier: NetworkTier?
  package var natIP: String?

  package init(type: Kind? = .oneToOneNAT, name: String? = nil, networkTier: NetworkTier? = nil) {
    self.type = type
    self.name = name
    self.networkTier = networkTier
  }

  package struct Kind: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static let oneToOneNAT: Self = "ONE_TO_ONE_NAT"
  }

  package struct NetworkTier: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static let premium: Self = "PREMIUM"
    package static let standard: Self = "STANDARD"
  }
}

package struct ServiceAccount: Codable, Hashable, Sendable {
  /// `default` is the project's Compute Engine account.
  package var email: String?
  package var scopes: [String]?

  package init(email: String? = "default", scopes: [String]? = ["https://www.googleapis.com/auth/cloud-platform"]) {
    self.email = email
    self.scopes = scopes
  }
}

package struct AcceleratorConfig: Codable, Hashable, Sendable {
  /// By its name in a template: `nvidia-tesla-t4`.
  package var acceleratorType: String?
  package var acceleratorCount: Int?

  package init(type: String, count: Int) {
    acceleratorType = type
    acceleratorCount = count
  }
}

package struct InstanceMetadata: Codable, Hashable, Sendable {
  package var items: [Item]?

  package init(items: [Item]? = nil) { self.items = items }

  package struct Item: Codable, Hashable, Sendable {
    package var key: String
    /// At most 256 KiB; all of an instance's at most 512 KB.
    package var value: String?

    package init(key: String, value: String?) {
      self.key = key
      self.value = value
    }
  }

  package subscript(key: String) -> String? { items?.first { $0.key == key }?.value }
}

package struct Tags: Codable, Hashable, Sendable {
  package var items: [String]?
  package init(items: [String]?) { self.items = items }
}

package struct ShieldedInstanceConfig: Codable, Hashable, Sendable {
  package var enableSecureBoot: Bool?
  package var enableVtpm: Bool?
  package var enableIntegrityMonitoring: Bool?
  package init() {}
}
