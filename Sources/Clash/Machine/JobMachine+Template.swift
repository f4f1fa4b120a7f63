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
    // Whoever drives the job counts its VMs; a VM that came back by itself would be one more, unseen.
    scheduling.automaticRestart = false
    if offer.isSpot || hasAccelerators { scheduling.onHostMaintenance = .terminate }
    let limit = runLimitSeconds
    if let limit { scheduling.maxRunDuration = SecondsDuration(seconds: Int64(limit)) }
    // A stopped VM's disk is paid for, and nobody would start it again.
    if offer.isSpot || limit != nil { scheduling.instanceTerminationAction = .delete }
    return scheduling
  }

  var hasAccelerators: Bool { series.hasOwnAccelerators || !config.accelerators.isEmpty }

  /// When the cloud ends the VM by itself: as asked, or an hour after the job's own limit. A dead man's switch.
  var runLimitSeconds: Int? {
    let limit = config.maxRunDurationSeconds ?? request.spec.timeoutSeconds.map { Int($0.rounded(.up)) + 3_600 }
    return limit.map { min(max($0, 30), 120 * 86_400) }
  }

  /// A short name is a subnetwork of the job's own project, in the region of this attempt.
  func network() throws(JobMachineError) -> NetworkInterface {
    let access = config.hasExternalAddress ? [AccessConfig(name: "External NAT")] : nil
    guard let asked = config.subnetwork else {
      return NetworkInterface(network: "global/networks/default", accessConfigs: access)
    }
    let parts = asked.split(separator: "/").map(String.init)
    let path = parts.firstIndex(of: "projects").map { Array(parts[$0...]) } ?? parts
    let region = offer.scope.region ?? ""
    switch (path.count, path.first, path.dropFirst(path.count - 2).first) {
    case (1, _, _):
      return NetworkInterface(
        subnetwork: "projects/\(config.project)/regions/\(region)/subnetworks/\(asked)", accessConfigs: access)
    case (4, "regions", "subnetworks"), (6, "projects", "subnetworks"):
      let subnetworkRegion = path[path.count - 3]
      guard subnetworkRegion == region else {
        throw JobMachineError(
          "the subnetwork \(asked) is in \(subnetworkRegion), and the job asks for a VM in \(region)",
          hint: "name zones of \(subnetworkRegion) only, or give the subnetwork's short name")
      }
      let whole = path.count == 6 ? path : ["projects", config.project] + path
      return NetworkInterface(subnetwork: whole.joined(separator: "/"), accessConfigs: access)
    case (_, _, _):
      throw JobMachineError(
        "“\(asked)” is no subnetwork", hint: "give its name, or projects/HOST/regions/REGION/subnetworks/NAME")
    }
  }

  private var metadataItems: [InstanceMetadata.Item] {
    var items = [InstanceMetadata.Item(key: "user-data", value: userData)] + fileItems
    // An update of the operating system would restart the VM under the job.
    items.append(.init(key: "cos-update-strategy", value: "update_disabled"))
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
