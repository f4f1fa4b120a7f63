import Dagrun
import Foundation
import GoogleCloud
import GoogleDiscovery
import Model
import Testing

@testable import Clash

/// What is sent to Google for one attempt.
@Suite struct JobMachineTests {
  func machine(
    _ spec: JobSpec, scope: Scope = .zone("europe-west1-b"), type: String = "n1-standard-4", isSpot: Bool = false,
    isDetached: Bool = false, name: String = "a-job"
  ) throws -> JobMachine {
    var request = JobRequest(
      name: name, spec: spec,
      origin: JobOrigin(
        homeID: "home-1",
        task: JobTask(
          dagID: "Nightly.ETL", runID: "r", key: TryKey(run: 1, taskID: "train it", number: 1))))
    request.isDetached = isDetached
    return try JobMachine(
      request: request, attempt: 2, offer: MachineOffer(scope: scope, machineType: type, isSpot: isSpot),
      imageLink: "projects/cos-cloud/global/images/cos-stable-121", endpoints: Endpoints())
  }

  /// Every kind of machine, each with all that it may have.
  static let kinds: [(Scope, String, Bool, Bool)] = [
    (.zone("europe-west1-b"), "n1-standard-4", false, false), (.zone("us-east1-c"), "n1-standard-4", true, false),
    (.region("europe-west1"), "a2-highgpu-1g", true, true), (.region("us-central1"), "n4-standard-2", false, true),
  ]

  @Test(.enabled(if: GooglePackages.hasDiscoveryDocuments, "\(GooglePackages.absence)"), arguments: kinds.indices)
  func `Google knows every field of the template and of the group`(kind: Int) throws {
    let (scope, type, isSpot, isDetached) = Self.kinds[kind]
    let spec = machineSpec {
      $0.config.labels = ["team": "ml"]
      $0.config.accelerators = [.init(type: "nvidia-tesla-t4", count: 2)]
      $0.config.maxRunDurationSeconds = 7_200
      $0.config.subnetwork = kind == 1 ? "a-subnetwork" : nil
      $0.config.hasExternalAddress = kind != 1
      $0.config.diskType = kind == 0 ? "pd-ssd" : nil
    }
    let machine = try machine(spec, scope: scope, type: type, isSpot: isSpot, isDetached: isDetached)
    let document = try DiscoveryDocument.of(.compute)
    let encoder = JSONEncoder()
    #expect(
      document.problems(
        ofJSON: try encoder.encode(machine.template), schema: "InstanceTemplate",
        method: "compute.instanceTemplates.insert") == [])
    #expect(
      document.problems(
        ofJSON: try encoder.encode(machine.group), schema: "InstanceGroupManager",
        method: "compute.instanceGroupManagers.insert") == [])
  }

  @Test func `a Spot VM is deleted when it is taken back or takes too long`() throws {
    let spec = machineSpec { $0.timeoutSeconds = 600 }
    let scheduling = try #require(try machine(spec, isSpot: true).template.properties.scheduling)
    #expect(scheduling.provisioningModel == .spot)
    #expect(scheduling.automaticRestart == false)
    #expect(scheduling.onHostMaintenance == .terminate)
    #expect(scheduling.instanceTerminationAction == .delete)
    #expect(scheduling.maxRunDuration?.seconds == 4_200)
  }

  @Test(
    arguments: [
      (nil, nil, true, 86_400), (600, nil, true, 4_200), (600, 7_200, true, 7_200), (nil, 60, true, 60),
      (200_000, nil, true, 203_600), (1e300, nil, true, 120 * 86_400), (600, nil, false, nil),
    ] as [(Double?, Int?, Bool, Int64?)])
  func `a VM ends by itself, after a day where nothing else is said`(
    timeout: Double?, asked: Int?, hasLimit: Bool, expected: Int64?
  ) throws {
    let machine = try machine(
      machineSpec {
        $0.timeoutSeconds = timeout
        $0.config.maxRunDurationSeconds = asked
        $0.config.hasRunLimit = hasLimit
      })
    let scheduling = try #require(machine.template.properties.scheduling)
    #expect(scheduling.maxRunDuration?.seconds.value == expected)
    #expect(scheduling.instanceTerminationAction == (expected == nil ? nil : .delete))
    #expect(machine.files.settings["run-limit"] == expected.map { "\($0)" })
  }

  @Test func `a standard VM has no end of its own where none is wanted`() throws {
    let spec = machineSpec { $0.config.hasRunLimit = false }
    let scheduling = try #require(try machine(spec).template.properties.scheduling)
    #expect(scheduling.provisioningModel == .standard)
    #expect(scheduling.onHostMaintenance == nil)
    #expect(scheduling.instanceTerminationAction == nil)
    #expect(scheduling.maxRunDuration == nil)
  }

  @Test(arguments: [("h3-standard-88", nil), ("c3-standard-192-metal", "hyperdisk-balanced")] as [(String, String?)])
  func `what Google cannot move to another host is not asked to be moved`(type: String, disk: String?) throws {
    let properties = try machine(machineSpec { $0.config.hasRunLimit = false }, type: type).template.properties
    #expect(properties.scheduling?.onHostMaintenance == .terminate)
    #expect(properties.scheduling?.instanceTerminationAction == nil)
    #expect(properties.disks?.first?.initializeParams?.diskType == disk)
  }

  @Test func `memory that runs out costs the program its life, and not the runner`() throws {
    let unit = try machine(machineSpec()).files.unit.split(separator: "\n")
    #expect(unit.contains("OOMScoreAdjust=-900") && unit.contains("OOMPolicy=continue"))
  }

  @Test func `machines that bring GPUs are not asked for others, and are not moved while they run`() throws {
    let spec = machineSpec { $0.config.accelerators = [.init(type: "nvidia-tesla-t4", count: 1)] }
    let own = try machine(spec, type: "g2-standard-8")
    #expect(own.template.properties.guestAccelerators == nil)
    #expect(own.template.properties.scheduling?.onHostMaintenance == .terminate)
    #expect(own.files.settings["accelerators"] == "yes")
    let asked = try machine(spec)
    #expect(asked.template.properties.guestAccelerators == [AcceleratorConfig(type: "nvidia-tesla-t4", count: 1)])
    #expect(asked.template.properties.scheduling?.onHostMaintenance == .terminate)
  }

  @Test(arguments: [
    ("short", "projects/a-project/regions/europe-west1/subnetworks/short"),
    ("regions/europe-west1/subnetworks/s", "projects/a-project/regions/europe-west1/subnetworks/s"),
    ("projects/host/regions/europe-west1/subnetworks/s", "projects/host/regions/europe-west1/subnetworks/s"),
    (
      "https://www.googleapis.com/compute/v1/projects/host/regions/europe-west1/subnetworks/s",
      "projects/host/regions/europe-west1/subnetworks/s"
    ),
  ])
  func `a subnetwork may be another project's`(given: String, sent: String) throws {
    let template = try machine(machineSpec { $0.config.subnetwork = given }).template
    #expect(template.properties.networkInterfaces?.map(\.subnetwork) == [sent])
    #expect(template.properties.networkInterfaces?.first?.network == nil)
  }

  @Test(arguments: ["projects/host/regions/us-east1/subnetworks/s", "projects/host/s", ""])
  func `a subnetwork that cannot be is refused`(given: String) {
    #expect(throws: JobMachineError.self) { try machine(machineSpec { $0.config.subnetwork = given }) }
  }

  @Test func `only a VM that shall be reached from outside has an address`() throws {
    #expect(try machine(machineSpec()).template.properties.networkInterfaces?.first?.accessConfigs?.count == 1)
    let hidden = try machine(machineSpec { $0.config.hasExternalAddress = false })
    #expect(hidden.template.properties.networkInterfaces?.first?.accessConfigs == nil)
    #expect(hidden.template.properties.networkInterfaces?.first?.network == "global/networks/default")
  }

  @Test func `all that is made says whose it is`() throws {
    let machine = try machine(machineSpec { $0.config.labels = ["team": "ml"] })
    let labels = [
      "dagrun": "job", "dagrun-job": "a-job", "dagrun-home": "home-1", "dagrun-attempt": "2",
      "dagrun-dag": "nightly-etl", "dagrun-task": "train-it", "team": "ml",
    ]
    #expect(machine.template.name == "a-job-2")
    #expect(machine.template.properties.labels == labels)
    #expect(machine.group.allInstancesConfig?.properties?.labels == labels)
    #expect(machine.group.instanceTemplate == "global/instanceTemplates/a-job-2")
    let item = try #require(machine.template.properties.metadata?["dagrun-job"])
    #expect(try JSONDecoder().decode(JobRequest.self, from: Data(item.utf8)) == machine.request)
  }

  @Test func `only the group of a job that nobody drives repairs`() throws {
    #expect(try machine(machineSpec()).group.instanceLifecyclePolicy?.defaultActionOnFailure == .doNothing)
    let detached = try machine(machineSpec(), isDetached: true)
    #expect(detached.group.instanceLifecyclePolicy?.defaultActionOnFailure == .repair)
  }

  @Test func `a regional group takes any zone that has room`() throws {
    let group = try machine(machineSpec(), scope: .region("europe-west1")).group
    #expect(group.distributionPolicy?.targetShape == .any)
    #expect(group.updatePolicy?.instanceRedistributionType == "NONE")
    #expect(try machine(machineSpec()).group.distributionPolicy == nil)
  }

  @Test(arguments: [
    ["Team": "ml"], ["team": "M L"], ["1": "x"], ["": "x"], ["a": String(repeating: "x", count: 64)],
    ["dagrun-job": "x"],
  ])
  func `labels that Google refuses are refused here`(labels: [String: String]) {
    #expect(throws: JobMachineError.self) { try machine(machineSpec { $0.config.labels = labels }) }
  }

  @Test func `what no program can be given is refused before anything is made`() {
    let long = String(repeating: "x", count: 131_072)
    let specs = [
      machineSpec(.arguments(["a\0b"])), machineSpec(.arguments([long])), machineSpec { $0.environment = ["A": "\0"] },
      machineSpec { $0.environment = ["A=B": "x"] }, machineSpec { $0.environment = ["": "x"] },
      machineSpec { $0.environment = ["A": long] }, machineSpec { $0.environment = ["DAGRUN_OUTPUT": "x"] },
      machineSpec { $0.outputs = ["relative": "bucket/x"] }, machineSpec { $0.outputs = ["/a/../b": "bucket/x"] },
      machineSpec { $0.outputs = ["/dagrun/x": "bucket/x"] }, machineSpec { $0.outputs = ["/a": "B/x"] },
      machineSpec { $0.mounts = ["bucket/\n": "/a"] }, machineSpec { $0.config.secrets = ["A": "a/b"] },
      machineSpec {
        $0.mounts = ["bucket/x": "/a"]
        $0.outputs = ["/a": "bucket/x"]
      }, machineSpec(.file(name: "a.unknown", contents: Data(), arguments: [])),
      machineSpec { $0.config.image = "--privileged" },
    ]
    for spec in specs { #expect(throws: JobMachineError.self) { try machine(spec) } }
  }

  @Test func `what metadata cannot hold is refused, with what to do`() throws {
    let error = #expect(throws: JobMachineError.self) {
      try machine(machineSpec(.script(String(repeating: "x", count: 400_000))))
    }
    #expect(error?.description.contains("bucket") == true)
  }

  @Test(arguments: [0, 100_000, 160_000, 200_000, 300_000])
  func `metadata stays below its limits`(bytes: Int) throws {
    let machine = try machine(machineSpec(.script(String(repeating: "x", count: bytes))))
    let items = machine.template.properties.metadata?.items ?? []
    #expect(items.allSatisfy { ($0.value?.utf8.count ?? 0) <= 262_144 })
    #expect(items.reduce(0) { $0 + $1.key.utf8.count + ($1.value?.utf8.count ?? 0) } <= 512_000)
    #expect(Set(items.map(\.key)).count == items.count)
  }

  @Test(
    arguments: [
      (JobCommand.image, nil, nil, []), (.image, "/e", "/e", []), (.arguments(["a", "-b"]), nil, nil, ["a", "-b"]),
      (.arguments(["a"]), "", "", ["a"]), (.script("echo"), nil, "/bin/sh", ["/dagrun/script"]),
      (.script("#! /usr/bin/env -S python3 -u \nx"), nil, "/usr/bin/env", ["-S python3 -u", "/dagrun/script"]),
      (.script("#!/bin/bash\nx"), "/tini", "/tini", ["/bin/bash", "/dagrun/script"]),
      (
        .file(name: "dir/train.py", contents: Data("x".utf8), arguments: ["-n"]), nil, "python3",
        ["/dagrun/train.py", "-n"]
      ),
      (.file(name: "run", contents: Data("x".utf8), arguments: []), nil, "/bin/sh", ["/dagrun/run"]),
      (.file(name: "x.unknown", contents: Data("#!/x".utf8), arguments: []), nil, "/x", ["/dagrun/x.unknown"]),
      (.file(name: "output", contents: Data("#!/x".utf8), arguments: []), nil, "/x", ["/dagrun/script-output"]),
    ] as [(JobCommand, String?, String?, [String])])
  func `a command is what docker is given`(
    command: JobCommand, given: String?, entrypoint: String?, arguments: [String]
  ) throws {
    let container = try ContainerCommand(command, entrypoint: given)
    #expect(container.entrypoint == entrypoint)
    #expect(container.arguments == arguments)
  }

  @Test func `what is rendered is what is sent`() throws {
    let machine = try machine(machineSpec())
    let rendering = JobRendering(machine)
    #expect(
      try JSONDecoder().decode(InstanceTemplate.self, from: Data(rendering.templateJSON.utf8)) == machine.template)
    #expect(try JSONDecoder().decode(InstanceGroupManager.self, from: Data(rendering.groupJSON.utf8)) == machine.group)
    #expect(rendering.userData == machine.template.properties.metadata?["user-data"])
    #expect(rendering.files.map(\.contents).contains(Data(rendering.runner.utf8)))
    #expect(rendering.files.map(\.contents).contains(Data(rendering.unit.utf8)))
  }
}
