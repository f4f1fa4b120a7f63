internal import Foundation

/// What is there for everybody.
extension ComputeModel {
  private static let since: JSON = "1969-12-31T16:00:00.000-08:00"

  func readCatalog(_ call: Call<ComputeMethod>, prefix: String) throws(APIFailure) -> JSON {
    let project = "projects/\(call["project"])"
    let name = call["name"]
    switch call.method {
    case .imagesGetFromFamily:
      guard let image = ComputeCatalog.image("\(project)/global/images/family/\(call["family"])") else {
        throw .notFound("\(project)/global/images/family/\(call["family"])")
      }
      return json(of: image)
    case .imagesGet:
      guard let image = ComputeCatalog.image("\(project)/global/images/\(name)") else {
        throw .notFound("\(project)/global/images/\(name)")
      }
      return json(of: image)
    case .imagesList:
      let images = ComputeCatalog.images.filter { "projects/\($0.project)" == project }
      return try page(call, "image", in: prefix, images.sorted { $0.name < $1.name }.map { json(of: $0) })
    case .zonesGet: return zone(call["zone"], project)
    case .zonesList: return try page(call, "zone", in: project, ComputeCatalog.zones.sorted().map { zone($0, project) })
    case .regionsGet: return region(call["region"], project)
    case .regionsList:
      return try page(
        call, "region", in: project, ComputeCatalog.zonesByRegion.keys.sorted().map { region($0, project) })
    case .machineTypesGet:
      guard let type = ComputeCatalog.machineType(name, in: call["zone"]) else {
        throw .notFound("\(prefix)/machineTypes/\(name)")
      }
      return json(of: type, in: prefix)
    case .machineTypesList: return try page(call, "machineType", in: prefix, machineTypes(in: prefix))
    case .machineTypesAggregatedList:
      return try aggregate(
        call, "machineTypes",
        Dictionary(
          uniqueKeysWithValues: ComputeCatalog.zones.map { ("zones/\($0)", machineTypes(in: "\(project)/zones/\($0)")) }
        ))
    case .networksGet:
      guard name == "default" else { throw .notFound("\(prefix)/networks/\(name)") }
      return network(prefix)
    case .networksList: return try page(call, "network", in: prefix, [network(prefix)])
    // gcloud asks for them beside each group.
    case .autoscalersList, .regionAutoscalersList: return try page(call, "autoscaler", in: prefix, [])
    case .projectsGet:
      return [
        "kind": "compute#project", "name": .string(call["project"]), "selfLink": .string(base + project),
        "id": "\(ComputeNames.projectNumber(call["project"]))", "creationTimestamp": Self.since,
        "commonInstanceMetadata": ["kind": "compute#metadata", "fingerprint": "AAAAAAAAAAA="],
        "defaultServiceAccount":
          "\(ComputeNames.projectNumber(call["project"]))-compute@developer.gserviceaccount.com",
      ]
    default: preconditionFailure("\(call.method) is not of the catalog")
    }
  }

  private func json(of image: ComputeCatalog.Image) -> JSON {
    let path = "projects/\(image.project)/global/images/\(image.name)"
    return [
      "kind": "compute#image", "id": "\(ComputeNames.stableHash(path) >> 1)", "name": .string(image.name),
      "family": .string(image.family), "status": "READY", "sourceType": "RAW", "architecture": "X86_64",
      "diskSizeGb": "\(image.diskSizeGB)", "archiveSizeBytes": "1000000000", "creationTimestamp": Self.since,
      "selfLink": .string(base + path), "labelFingerprint": "42WmSpB8rSM=",
    ]
  }

  private func zone(_ name: String, _ project: String) -> JSON {
    [
      "kind": "compute#zone", "id": "\(ComputeNames.stableHash(name) % 10_000)", "name": .string(name),
      "description": .string(name), "status": "UP", "creationTimestamp": Self.since,
      "region": .string("\(base)\(project)/regions/\(ComputeCatalog.region(of: name))"),
      "selfLink": .string("\(base)\(project)/zones/\(name)"),
    ]
  }

  private func region(_ name: String, _ project: String) -> JSON {
    [
      "kind": "compute#region", "id": "\(ComputeNames.stableHash(name) % 10_000)", "name": .string(name),
      "description": .string(name), "status": "UP", "creationTimestamp": Self.since,
      "zones": .array((ComputeCatalog.zonesByRegion[name] ?? []).map { "\(base)\(project)/zones/\($0)" }),
      "selfLink": .string("\(base)\(project)/regions/\(name)"),
    ]
  }

  private func machineTypes(in prefix: String) -> [JSON] {
    let zone = ComputeNames.lastPart(prefix)
    return ComputeCatalog.machineTypes.keys.sorted().compactMap { ComputeCatalog.machineType($0, in: zone) }
      .map { json(of: $0, in: prefix) }
  }

  private func json(of type: ComputeCatalog.MachineType, in prefix: String) -> JSON {
    [
      "kind": "compute#machineType", "id": "\(ComputeNames.stableHash(type.name) >> 44)", "name": .string(type.name),
      "description": "\(type.cpus) vCPUs, \(type.memoryMB / 1024) GB RAM", "guestCpus": .integer(Int64(type.cpus)),
      "memoryMb": .integer(Int64(type.memoryMB)), "isSharedCpu": .bool(type.memoryMB < 4096 && type.cpus < 3),
      "imageSpaceGb": 0, "maximumPersistentDisks": 128, "maximumPersistentDisksSizeGb": "263168",
      "creationTimestamp": Self.since, "zone": .string(ComputeNames.lastPart(prefix)),
      "selfLink": .string("\(base)\(prefix)/machineTypes/\(type.name)"),
    ]
  }

  private func network(_ prefix: String) -> JSON {
    [
      "kind": "compute#network", "id": "1000000000000000001", "name": "default", "autoCreateSubnetworks": true,
      "creationTimestamp": Self.since, "selfLink": .string("\(base)\(prefix)/networks/default"),
      "routingConfig": ["routingMode": "REGIONAL"],
    ]
  }
}
