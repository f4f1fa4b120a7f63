/// What Google has to offer: regions, zones, machine types, public images. A part of the real thing, the same for all
/// projects.
enum ComputeCatalog {
  static let zonesByRegion: [String: [String]] = {
    var zones: [String: [String]] = [:]
    let regions = [
      "asia-east1", "asia-northeast1", "asia-south1", "asia-southeast1", "australia-southeast1", "europe-north1",
      "europe-west1", "europe-west2", "europe-west3", "europe-west4", "europe-west6", "northamerica-northeast1",
      "southamerica-east1", "us-central1", "us-east1", "us-east4", "us-west1", "us-west2",
    ]
    for region in regions {
      let letters =
        switch region {
        case "europe-west1", "us-east1": ["b", "c", "d"]
        case "us-central1": ["a", "b", "c", "f"]
        default: ["a", "b", "c"]
        }
      zones[region] = letters.map { "\(region)-\($0)" }
    }
    return zones
  }()

  static let zones = Set(zonesByRegion.values.joined())

  static func region(of zone: String) -> String {
    zone.split(separator: "-").dropLast().joined(separator: "-")
  }

  // MARK: Machine types

  struct MachineType: Hashable, Sendable {
    var name: String
    var cpus: Int
    var memoryMB: Int
  }

  static let machineTypes: [String: MachineType] = {
    var types: [String: MachineType] = [:]
    func add(_ name: String, _ cpus: Int, _ memoryMB: Int) {
      types[name] = MachineType(name: name, cpus: cpus, memoryMB: memoryMB)
    }
    add("f1-micro", 1, 614)
    add("g1-small", 1, 1740)
    add("e2-micro", 2, 1024)
    add("e2-small", 2, 2048)
    add("e2-medium", 2, 4096)
    // Memory of a CPU in MB, by kind.
    let families: [(String, [Int], [(String, Int)])] = [
      ("n1", [1, 2, 4, 8, 16, 32, 64, 96], [("standard", 3840), ("highmem", 6656), ("highcpu", 922)]),
      ("e2", [2, 4, 8, 16, 32], [("standard", 4096), ("highmem", 8192), ("highcpu", 1024)]),
      ("n2", [2, 4, 8, 16, 32, 48, 64, 80, 96, 128], [("standard", 4096), ("highmem", 8192), ("highcpu", 1024)]),
      (
        "n2d", [2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224], [("standard", 4096), ("highmem", 8192), ("highcpu", 1024)]
      ),
      ("c2", [4, 8, 16, 30, 60], [("standard", 4096)]),
      ("c3", [4, 8, 22, 44, 88, 176], [("standard", 4096), ("highmem", 8192), ("highcpu", 2048)]),
      ("c4", [2, 4, 8, 16, 32, 48, 96, 192], [("standard", 3840), ("highmem", 7936), ("highcpu", 2048)]),
      ("t2d", [1, 2, 4, 8, 16, 32, 48, 60], [("standard", 4096)]),
      ("g2", [4, 8, 12, 16, 24, 32, 48, 96], [("standard", 4096)]),
    ]
    for (family, sizes, kinds) in families {
      for (kind, memory) in kinds {
        for cpus in sizes { add("\(family)-\(kind)-\(cpus)", cpus, cpus * memory) }
      }
    }
    for gpus in [1, 2, 4, 8] {
      add("a2-highgpu-\(gpus)g", gpus * 12, gpus * 87_040)
      add("a3-highgpu-\(gpus)g", gpus * 26, gpus * 239_616)
    }
    return types
  }()

  /// Also custom ones: `custom-4-8192`, `n2-custom-8-16384`.
  static func machineType(_ name: String) -> MachineType? {
    if let known = machineTypes[name] { return known }
    let parts = name.split(separator: "-")
    guard let custom = parts.firstIndex(of: "custom"), custom <= 1, parts.count >= custom + 3,
      let cpus = wholeNumber(parts[custom + 1]), let memoryMB = wholeNumber(parts[custom + 2]),
      (1...1024).contains(cpus), (256...(1 << 25)).contains(memoryMB)
    else { return nil }
    return MachineType(name: name, cpus: cpus, memoryMB: memoryMB)
  }

  static let acceleratorTypes: Set<String> = [
    "nvidia-tesla-k80", "nvidia-tesla-p100", "nvidia-tesla-p4", "nvidia-tesla-v100", "nvidia-tesla-t4",
    "nvidia-tesla-a100", "nvidia-a100-80gb", "nvidia-l4", "nvidia-h100-80gb",
  ]

  // MARK: What is where

  /// Machines that bring accelerators, and accelerators, are in some zones only. As in `acceleratorTypes`, a part of
  /// the real thing.
  private static let zonesOfFamily: [Substring: Set<String>] = [
    "a2": ["us-central1-a", "us-central1-c", "us-central1-f", "us-east1-b", "us-west1-b", "europe-west4-a"],
    "a3": ["us-central1-a", "us-central1-c", "us-east4-a", "us-west1-a", "europe-west4-b"],
    "g2": [
      "us-central1-a", "us-central1-b", "us-central1-c", "us-east1-b", "us-east1-c", "us-east1-d", "us-east4-a",
      "us-west1-a", "us-west1-b", "us-west1-c", "europe-west1-b", "europe-west1-c", "europe-west2-a", "europe-west3-a",
      "europe-west4-a", "europe-west4-b", "europe-west4-c", "asia-east1-a", "asia-northeast1-a", "asia-south1-a",
    ],
  ]

  private static let zonesOfAccelerator: [String: Set<String>] = [
    "nvidia-tesla-t4": [
      "us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f", "us-east1-c", "us-east1-d", "us-east4-a",
      "us-east4-b", "us-east4-c", "us-west1-a", "us-west1-b", "us-west2-b", "us-west2-c", "europe-west1-b",
      "europe-west1-c", "europe-west1-d", "europe-west2-a", "europe-west2-b", "europe-west3-b", "europe-west4-a",
      "europe-west4-b", "europe-west4-c", "asia-east1-a", "asia-east1-c", "asia-northeast1-a", "asia-south1-a",
    ],
    "nvidia-tesla-v100": [
      "us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f", "us-west1-a", "us-west1-b", "europe-west4-a",
      "europe-west4-b", "europe-west4-c", "asia-east1-c",
    ],
    "nvidia-tesla-p100": [
      "us-central1-c", "us-central1-f", "us-east1-b", "us-east1-c", "us-west1-a", "us-west1-b", "europe-west1-b",
      "europe-west1-d", "europe-west4-a", "asia-east1-a", "asia-east1-c",
    ],
    "nvidia-tesla-p4": [
      "us-central1-a", "us-central1-c", "us-east4-a", "us-east4-b", "us-east4-c", "us-west2-b", "us-west2-c",
      "europe-west4-b", "europe-west4-c", "asia-southeast1-b", "asia-southeast1-c",
    ],
  ]

  /// nil also for one that no zone has.
  static func machineType(_ name: String, in zone: String) -> MachineType? {
    if let zones = zonesOfFamily[name.prefix { $0 != "-" }], !zones.contains(zone) { return nil }
    return machineType(name)
  }

  static func hasAccelerator(_ type: String, in zone: String) -> Bool {
    zonesOfAccelerator[type]?.contains(zone) ?? true
  }

  // MARK: Images

  struct Image: Hashable, Sendable {
    var project: String
    var name: String
    var family: String
    var diskSizeGB: Int
  }

  static let images: [Image] = [
    Image(project: "cos-cloud", name: "cos-stable-125-19216-104-25", family: "cos-stable", diskSizeGB: 10),
    Image(project: "cos-cloud", name: "cos-arm64-stable-125-19216-104-25", family: "cos-arm64-stable", diskSizeGB: 10),
    Image(project: "cos-cloud", name: "cos-117-18613-439-79", family: "cos-117-lts", diskSizeGB: 10),
    Image(project: "cos-cloud", name: "cos-121-18867-294-100", family: "cos-121-lts", diskSizeGB: 10),
    Image(project: "cos-cloud", name: "cos-125-19216-104-25", family: "cos-125-lts", diskSizeGB: 10),
    Image(project: "debian-cloud", name: "debian-12-bookworm-v20261014", family: "debian-12", diskSizeGB: 10),
    Image(project: "debian-cloud", name: "debian-13-trixie-v20261014", family: "debian-13", diskSizeGB: 10),
    Image(
      project: "ubuntu-os-cloud", name: "ubuntu-2404-noble-amd64-v20261020", family: "ubuntu-2404-lts-amd64",
      diskSizeGB: 10),
  ]

  /// What a disk's `sourceImage` says, as `projects/P/global/images/…`: an image, or a family.
  static func image(_ reference: String) -> Image? {
    let parts = reference.split(separator: "/").map(String.init)
    guard parts.count >= 5, parts[0] == "projects", parts[2] == "global", parts[3] == "images" else { return nil }
    if parts.count == 6, parts[4] == "family" {
      return images.last { $0.project == parts[1] && $0.family == parts[5] }
    }
    return images.first { $0.project == parts[1] && $0.name == parts[4] }
  }
}
