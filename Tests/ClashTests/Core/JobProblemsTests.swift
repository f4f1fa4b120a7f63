import Dagrun
import Testing

@testable import Clash

@Suite struct JobProblemsTests {
  private func problems(_ name: String = "job", _ change: (inout JobSpec) -> Void) -> [String] {
    var spec = JobSpec(config: JobConfig(project: "my-project", image: "image"), command: .image)
    change(&spec)
    return JobRequest(name: name, spec: spec, origin: JobOrigin(homeID: "h")).problems
  }

  @Test func `a plain job has no problems`() {
    let found = problems { _ in }
    #expect(found == [])
  }

  @Test func `all problems are told at once`() {
    let found = problems("No!") {
      $0.config.sharedMemorySize = "lots"
      $0.config.subnetwork = "projects/p/subnetworks/s"
      $0.config.serviceAccount = "me"
      $0.config.scopes = ["cloud-platform"]
      $0.config.secrets = ["A": "secret"]
      $0.environment = ["A": "1"]
      $0.mounts = ["bucket/a": "/data", "bucket/b": "/data/", "bucket/c": "/"]
      $0.outputs = ["/": "bucket/out"]
      $0.timeoutSeconds = -1
    }
    for word in [
      "\"No!\"", "shared_memory_size", "subnetwork", "service_account", "scope", "in secrets", "/data; give each",
      "bucket/c cannot be mounted at /", "the output /", "timeout",
    ] {
      #expect(found.contains { $0.contains(word) }, "\(word): \(found)")
    }
    #expect(found.count == 10, "\(found)")
  }

  @Test func `a job that Google or docker would refuse is refused before`() {
    let cases: [(String, (inout JobSpec) -> Void)] = [
      ("zones", { $0.config.zones = ["europe-west1"] }), ("regions", { $0.config.regions = ["europe-west1-b"] }),
      ("machine type", { $0.config.machineTypes = ["N1 standard"] }),
      (
        "accelerator",
        {
          $0.config.machineTypes = ["n1-standard-4", "e2-standard-4", "a2-highgpu-1g"]
          $0.config.accelerators = [.init(type: "nvidia-tesla-t4", count: 1)]
        }
      ),
      ("label of Google's", { $0.config.labels = ["goog-x": "x"] }),
      ("label", { $0.config.labels = ["Big": "x"] }), ("label of ours", { $0.config.labels = ["dagrun-job": "x"] }),
      ("disk", { $0.config.diskSizeGB = 1 }), ("run duration", { $0.config.maxRunDurationSeconds = 29 }),
      ("too long", { $0.config.maxRunDurationSeconds = 120 * 86_400 + 1 }),
      ("attempts", { $0.config.maxAttempts = 0 }), ("image", { $0.config.image = "" }),
      ("variable", { $0.environment = ["1A": ""] }), ("variable with =", { $0.config.environment = ["A=B": ""] }),
      ("NUL", { $0.environment = ["A": "\0"] }), ("secret", { $0.config.secrets = ["A": "a/b"] }),
      ("mount", { $0.mounts = ["bucket/a": "relative"] }), ("output", { $0.outputs = ["relative": "bucket/a"] }),
      ("bucket", { $0.outputs = ["/out": "B"] }), ("command", { $0.command = .arguments([]) }),
      (
        "mount and output",
        {
          $0.mounts = ["bucket/in": "/data"]
          $0.outputs = ["/data/": "bucket/out"]
        }
      ),
      (
        "live mount and output",
        {
          $0.config.mountMethod = .gcsfuse
          $0.mounts = ["bucket/in": "/data"]
          $0.outputs = ["/data": "bucket/out"]
        }
      ),
      ("dagrun's own folder", { $0.outputs = ["/dagrun/out": "bucket/out"] }),
      ("a way up", { $0.mounts = ["bucket/in": "/data/../x"] }),
    ]
    for (name, change) in cases {
      let found = problems("job", change)
      #expect(found.count == 1, "\(name): \(found)")
    }
  }

  @Test(arguments: ["8g", "512m", "1073741824", "64K"])
  func `sizes of shared memory are docker's`(size: String) {
    let found = problems { $0.config.sharedMemorySize = size }
    #expect(found == [])
  }

  @Test(
    arguments: [
      (["europe-west1-b"], [], 0), (["us-east1-b"], [], 1), (["europe-west1-b"], ["us-east1"], 1),
      ([], ["europe-west1"], 0),
      ([], [], 0),
    ] as [([String], [String], Int)])
  func `a subnetwork of one region is not for VMs of another`(zones: [String], regions: [String], count: Int) {
    let found = problems {
      $0.config.subnetwork = "projects/host/regions/europe-west1/subnetworks/s"
      $0.config.zones = zones
      $0.config.regions = regions
    }
    #expect(found.count == count, "\(found)")
  }

  @Test(arguments: ["default", "projects/host/regions/europe-west1/subnetworks/s"])
  func `a subnetwork has a name or a path`(name: String) {
    let found = problems { $0.config.subnetwork = name }
    #expect(found == [])
  }
}
