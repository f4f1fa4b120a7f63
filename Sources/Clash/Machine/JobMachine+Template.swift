internal import Dagrun
internal import Foundation
package import GoogleCloud

extension JobMachine {
  /// The body of `instanceTemplates.insert`.
  package var template: InstanceTemplate {
    var properties = InstanceProperties(machineType: offer.machineType)
    properties.disks = [bootDisk]
    // Checked when the machine was made.
    properties.networkInterfaces = (try? network()).map { [$0] }
    properties.serviceAccounts = [ServiceAccount(email: config.serviceAccount, scopes: config.scopes)]
    properties.scheduling = scheduling
    if !series.hasOwnAccelerators, !config.accelerators.isEmpty {
      properties.guestAccelerators = config.accelerators.map { AcceleratorConfig(type: $0.type, count: $0.count) }
    }
    properties.labels = labels
    properties.metadata = InstanceMetadata(items: metadataItems)
    return InstanceTemplate(
      name: name, description: "dagrun job \(request.name), attempt \(attempt)", properties: properties)
  }

  var series: MachineSeries { MachineSeries(machineType: offer.machineType) }

  private var bootDisk: AttachedDisk {
    var disk = AttachedDisk(
      boot: true, autoDelete: true,
      initializeParams: .init(
        sourceImage: imageLink, diskSizeGb: Int64String(Int64(config.diskSizeGB ?? Self.defaultDiskSizeGB)),
        diskType: config.diskType ?? series.diskType, labels: labels))
    disk.type = .persistent
    disk.mode = .readWrite
    return disk
  }

  /// Container-Optimized OS takes some 10 GB; images and data need room.
  package static let defaultDiskSizeGB = 100

  private var scheduling: Scheduling {
    var scheduling = Scheduling()
    scheduling.provisioningModel = offer.isSpot ? .spot : .standard
    // The job's driver counts its VMs; a VM that came back by itself would be one more, unseen.
    scheduling.automaticRestart = false
    if offer.isSpot || hasAccelerators || series.staysOnItsHost { scheduling.onHostMaintenance = .terminate }
    // The group of a detached job makes a VM again that is gone, and its program would run again. By default it is left
    // to the VM to end in time, and with it the group.
    let limit = request.isDetached && request.hasDefaultRunLimit ? nil : request.runLimitSeconds
    if let limit { scheduling.maxRunDuration = SecondsDuration(seconds: Int64(limit)) }
    // A stopped VM's disk is paid for, and nobody would start it again.
    if offer.isSpot || limit != nil { scheduling.instanceTerminationAction = .delete }
    return scheduling
  }

  var hasAccelerators: Bool { series.hasOwnAccelerators || !config.accelerators.isEmpty }

  /// A short name is a subnetwork of the job's own project, in the region of this attempt.
  func network() throws(JobMachineError) -> NetworkInterface {
    let access = config.hasExternalAddress ? [AccessConfig(name: "External NAT")] : nil
    guard let asked = config.subnetwork else {
      return NetworkInterface(network: "global/networks/default", accessConfigs: access)
    }
    let path = subnetworkPath(asked)
    guard path.count == 6, path[0] == "projects", path[2] == "regions", path[4] == "subnetworks" else {
      throw JobMachineError(
        "“\(asked)” is not a subnetwork", hint: "give its name, or projects/HOST/regions/REGION/subnetworks/NAME")
    }
    let region = offer.scope.region ?? ""
    guard path[3] == region else {
      throw JobMachineError(
        "the subnetwork \(asked) is in \(path[3]), and the job asks for a VM in \(region)",
        hint: "name zones of \(path[3]) only, or give the subnetwork's short name")
    }
    return NetworkInterface(subnetwork: path.joined(separator: "/"), accessConfigs: access)
  }

  /// The six parts of a subnetwork's path, of its name, of a path in the job's own project, or of a whole link.
  private func subnetworkPath(_ text: String) -> [String] {
    let parts = text.split(separator: "/").map(String.init)
    if let start = parts.firstIndex(of: "projects") { return Array(parts[start...]) }
    switch parts.count {
    case 1: return ["projects", config.project, "regions", offer.scope.region ?? "", "subnetworks", parts[0]]
    case 4: return ["projects", config.project] + parts
    case _: return parts
    }
  }

  private var metadataItems: [InstanceMetadata.Item] {
    var items = [InstanceMetadata.Item(key: "user-data", value: userData)] + fileItems
    // An update of the operating system would restart the VM under the job.
    items.append(.init(key: "cos-update-strategy", value: "update_disabled"))
    if let word = request.word(ofAttempt: attempt) { items.append(.init(key: "dagrun-word", value: word)) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if let data = try? encoder.encode(request) {
      let item = InstanceMetadata.Item(key: "dagrun-job", value: String(decoding: data, as: UTF8.self))
      if data.count <= MetadataLimits.valueBytes, MetadataLimits.size(of: items + [item]) <= MetadataLimits.allBytes {
        items.append(item)
      }
    }
    return items
  }
}

extension JobRequest {
  /// When the cloud ends the VM by itself, a dead man's switch: as asked, or an hour after the job's own limit, or
  /// after a day. nil: never.
  var runLimitSeconds: Int? {
    guard spec.config.hasRunLimit else { return nil }
    let limit =
      spec.config.maxRunDurationSeconds
      ?? spec.timeoutSeconds.map { Int(saturating: $0.rounded(.up)).addingSaturating(3_600) }
      ?? JobConfig.defaultRunSeconds
    return min(max(limit, 30), 120 * 86_400)
  }

  /// Nobody has said how long the job's VMs may run.
  var hasDefaultRunLimit: Bool {
    spec.config.hasRunLimit && spec.config.maxRunDurationSeconds == nil && spec.timeoutSeconds == nil
  }
}
