/// The machine and the container of a Compute Engine job: all that jobs of one kind have in common.
///
///     JobConfig(project: "my-project", image: "europe-west1-docker.pkg.dev/my-project/ml/train:latest")
///       .machineTypes("n1-standard-16", "n1-standard-8").accelerator("nvidia-tesla-t4")
///       .zones("europe-west1-b", "europe-west1-c").spot(thenOnDemand: true)
///
/// One definition for DAG files, for `dagrun job run --spec` (JSON or YAML) and for the Airflow plugin. Keys in JSON
/// are in snake case (`JobConfig+Codable`).
public struct JobConfig: Hashable, Sendable {
  package var project: String
  package var image: String
  /// Alternatives, the best first. Never empty.
  package var machineTypes: [String]
  package var provisioning: Provisioning = .standard
  /// Tried in this order; empty: see `regions`.
  package var zones: [String] = []
  /// In each, Google picks a zone with capacity. With neither zones nor regions: `defaultZone`.
  package var regions: [String] = []
  /// Accelerators of each VM; a2, a3 and g2 machines bring their own.
  package var accelerators: [Accelerator] = []

  package var diskSizeGB: Int?
  /// Such as `pd-ssd`; nil: the machine type's default.
  package var diskType: String?
  /// The VM's own operating system, of which cloud-init, systemd and docker are expected.
  package var diskImage = DiskImage.containerOptimized

  /// A name in `project`, or `projects/HOST/regions/R/subnetworks/S` of a Shared VPC; nil: the default network.
  package var subnetwork: String?
  /// Without one the VM reaches registries and APIs by Cloud NAT or Private Google Access only.
  package var hasExternalAddress = true

  /// An email address, or `default`.
  package var serviceAccount = "default"
  package var scopes = ["https://www.googleapis.com/auth/cloud-platform"]
  /// On every resource, besides dagrun's own.
  package var labels: [String: String] = [:]
  /// Where Pub/Sub may keep messages (`messageStoragePolicy`); empty: anywhere.
  package var allowedPersistenceRegions: [String] = []

  /// The cloud deletes the VM then, whatever has become of everything else: 30 s to 120 days. nil: an hour more than
  /// the timeout, without one `defaultRunSeconds`.
  package var maxRunDurationSeconds: Int?
  /// False: the cloud never deletes it.
  package var hasRunLimit = true
  /// VMs that may be begun for one job, preempted ones included.
  package var maxAttempts = 10

  package var isPrivileged = false
  /// As docker's `--shm-size`: `8g`.
  package var sharedMemorySize: String?
  /// Replaces the image's entry point.
  package var entrypoint: String?
  /// Environment variable -> secret: `NAME`, `NAME/versions/V` or `projects/P/secrets/NAME/versions/V`. Resolved on
  /// the VM.
  package var secrets: [String: String] = [:]
  package var environment: [String: String] = [:]

  package var mountMethod: MountMethod = .copy
  package var logDestination: LogDestination = .none
  /// Outputs are copied also when the command has failed.
  package var uploadsOutputsOnFailure = false

  /// What is wrong with a config is said when the DAG file is read; docs/jobs.md lists all that it can say.
  ///
  /// - Parameters:
  ///   - project: the id of the Google Cloud project that the machines are in.
  ///   - image: a container image of any registry. To Google's registries the machine's service account is shown.
  ///   - machineType: as Compute Engine names it; `custom-CPUS-MB` too. See `machineTypes` for alternatives.
  public init(project: String, image: String, machineType: String = "n1-standard-4") {
    self.project = project
    self.image = image
    machineTypes = [machineType]
  }

  package static let defaultZone = "europe-west1-b"
  /// A program that hangs after its client was lost would be paid for without end.
  package static let defaultRunSeconds = 86_400

  package enum Provisioning: String, Codable, Hashable, Sendable, CaseIterable {
    case standard
    case spot
    /// Spot while there is any, then on demand.
    case spotThenStandard = "spot_then_standard"
  }

  package struct Accelerator: Hashable, Sendable {
    /// Such as `nvidia-tesla-t4`.
    package var type: String
    package var count: Int

    package init(type: String, count: Int) {
      self.type = type
      self.count = count
    }
  }

  /// An image family, or one image of it.
  package struct DiskImage: Hashable, Sendable {
    package var project: String
    package var family: String?
    package var name: String?

    package init(project: String, family: String? = nil, name: String? = nil) {
      self.project = project
      self.family = family
      self.name = name
    }

    package static let containerOptimized = DiskImage(project: "cos-cloud", family: "cos-stable")
  }

  /// How a bucket's directory comes into the container.
  public enum MountMethod: String, Codable, Hashable, Sendable, CaseIterable {
    /// Its objects are copied in before the command begins; nothing is written back.
    case copy
    /// gcsfuse inside the container, live in both directions. The image must have it.
    case gcsfuse
  }

  /// Where the whole log is kept, besides what dagrun receives while the job runs.
  public enum LogDestination: Hashable, Sendable {
    case none
    /// Line by line while the job runs, as the log `dagrun` of the project.
    case cloudLogging
    /// `bucket/path`: at the end, as the object `path/JOB/attempt-N.log`.
    case cloudStorage(path: String)
  }
}
