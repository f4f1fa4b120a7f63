// What a DAG file says of a job's machine and container, one function an idea. Each gives a changed copy:
//
//     let small = JobConfig(project: "my-project", image: "python:3.13").zones("europe-west1-b", "europe-west1-c")
//     let large = small.machineTypes("a2-highgpu-1g").spot(thenOnDemand: true).maxRunDuration(.hours(12))

/// Capacity: which machines, where, and how they are paid for.
extension JobConfig {
  /// Takes Spot capacity, which costs less and may be preempted.
  ///
  /// - Parameter thenOnDemand: where there is no Spot capacity in any of the places, asks for capacity on demand.
  public func spot(thenOnDemand: Bool = false) -> JobConfig {
    with { $0.provisioning = thenOnDemand ? .spotThenStandard : .spot }
  }

  /// The zones to try, in this order. With neither zones nor regions: `europe-west1-b`.
  public func zones(_ zones: String...) -> JobConfig { with { $0.zones = zones } }

  /// The zones to try, in this order.
  public func zones(_ zones: [String]) -> JobConfig { with { $0.zones = zones } }

  /// The regions to try after the zones, in this order. In each, Google picks a zone that has capacity.
  public func regions(_ regions: String...) -> JobConfig { with { $0.regions = regions } }

  /// The regions to try after the zones, in this order. In each, Google picks a zone that has capacity.
  public func regions(_ regions: [String]) -> JobConfig { with { $0.regions = regions } }

  /// Alternatives, the best first: the next one is asked for where there is no capacity of the one before.
  public func machineTypes(_ best: String, _ others: String...) -> JobConfig {
    with { $0.machineTypes = [best] + others }
  }

  /// Accelerators of the machine, such as `nvidia-tesla-t4`. Machines of the families a2, a3, a4, g2 and g4 bring their
  /// own. On Container-Optimized OS their drivers are installed when the machine boots.
  public func accelerator(_ type: String, count: Int = 1) -> JobConfig {
    with { $0.accelerators.append(Accelerator(type: type, count: count)) }
  }

  /// The most machines that may be begun for one job, preempted and lost ones included; and, apart from that, how often
  /// all machine types and places are tried where there is no capacity. 10 by default.
  public func maxAttempts(_ count: Int) -> JobConfig { with { $0.maxAttempts = count } }

  /// The cloud deletes each of the job's machines after this time, whatever has become of everything else. From 30
  /// seconds to 120 days; an hour more than the job's timeout by default, and without a timeout 24 hours.
  public func maxRunDuration(_ duration: Duration) -> JobConfig {
    with {
      $0.maxRunDurationSeconds = Int(saturating: duration.inSeconds.rounded(.up))
      $0.hasRunLimit = true
    }
  }

  /// The cloud never deletes the job's machines: a program that hangs is paid for until somebody cancels the job.
  public func withoutMaxRunDuration() -> JobConfig {
    with {
      $0.maxRunDurationSeconds = nil
      $0.hasRunLimit = false
    }
  }
}

/// The machine's disk, network and identity.
extension JobConfig {
  /// The boot disk, which the container shares: 10 to 65,536 GB, 100 by default. `type` is such as `pd-ssd`;
  /// `pd-balanced` by default up to the second generation of machines, and Google's default for newer ones.
  public func disk(sizeGB: Int, type: String? = nil) -> JobConfig {
    with {
      $0.diskSizeGB = sizeGB
      if let type { $0.diskType = type }
    }
  }

  /// The newest image of a family for the boot disk. It must have cloud-init, systemd and docker; Container-Optimized
  /// OS (`cos-cloud`, `cos-stable`) by default.
  public func diskImage(project: String, family: String) -> JobConfig {
    with { $0.diskImage = DiskImage(project: project, family: family) }
  }

  /// One image for the boot disk. It must have cloud-init, systemd and docker.
  public func diskImage(project: String, name: String) -> JobConfig {
    with { $0.diskImage = DiskImage(project: project, name: name) }
  }

  /// A subnetwork's name in the job's project, or `projects/HOST/regions/REGION/subnetworks/NAME` of a Shared VPC.
  public func subnetwork(_ name: String) -> JobConfig { with { $0.subnetwork = name } }

  /// Gives the machine no address on the internet. It then reaches registries and Google's services by Cloud NAT or
  /// Private Google Access only.
  public func withoutExternalAddress() -> JobConfig { with { $0.hasExternalAddress = false } }

  /// Who the container is to Google's services: an email address; the project's default account otherwise.
  ///
  /// - Parameter scopes: `https://www.googleapis.com/auth/cloud-platform` when there are none.
  public func serviceAccount(_ email: String, scopes: [String] = []) -> JobConfig {
    with {
      $0.serviceAccount = email
      if !scopes.isEmpty { $0.scopes = scopes }
    }
  }

  /// Labels of everything that is made for the job, besides dagrun's own, whose keys begin with `dagrun`. Keys begin
  /// with a lower-case letter; keys and values have lower-case letters, digits, `_` and `-`, at most 63; at most 58
  /// labels.
  public func labels(_ labels: [String: String]) -> JobConfig { with { $0.labels.merge(labels) { $1 } } }

  /// The regions in which Pub/Sub may keep the job's messages; anywhere when this is not said.
  public func allowedPersistenceRegions(_ regions: String...) -> JobConfig {
    with { $0.allowedPersistenceRegions = regions }
  }
}

/// The container.
extension JobConfig {
  /// Runs the container with all rights on its machine (docker's `--privileged`).
  public func privileged() -> JobConfig { with { $0.isPrivileged = true } }

  /// The size of `/dev/shm`, as docker's `--shm-size`: `"8g"`, `"512m"`.
  public func sharedMemory(_ size: String) -> JobConfig { with { $0.sharedMemorySize = size } }

  /// Runs this program in place of the image's entry point.
  public func entrypoint(_ program: String) -> JobConfig { with { $0.entrypoint = program } }

  /// Environment variable -> value, for every job of this kind; a job's own values count more. A name and its value
  /// have 131,071 bytes at most.
  public func environment(_ values: [String: String]) -> JobConfig { with { $0.environment.merge(values) { $1 } } }

  /// Environment variable -> secret of Secret Manager: `NAME`, `NAME/versions/V`, or
  /// `projects/P/secrets/NAME/versions/V`. Read on the machine; the value is never in its metadata.
  public func secrets(_ secrets: [String: String]) -> JobConfig { with { $0.secrets.merge(secrets) { $1 } } }

  /// How directories of Cloud Storage come into the container: copied before the command begins, when this is not said.
  public func mountMethod(_ method: MountMethod) -> JobConfig { with { $0.mountMethod = method } }

  /// Keeps the whole log, besides what dagrun receives while the job runs.
  public func logs(to destination: LogDestination) -> JobConfig { with { $0.logDestination = destination } }

  /// Copies the outputs also when the command has failed.
  public func uploadOutputsOnFailure() -> JobConfig { with { $0.uploadsOutputsOnFailure = true } }
}

extension JobConfig {
  private func with(_ change: (inout JobConfig) -> Void) -> JobConfig {
    var copy = self
    change(&copy)
    return copy
  }
}
