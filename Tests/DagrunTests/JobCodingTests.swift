import Dagrun
import Foundation
import Testing

@Suite struct JobCodingTests {
  private func problem(_ json: String) -> String {
    do {
      _ = try JSONDecoder().decode(JobSpec.self, from: Data(json.utf8))
      return "none"
    } catch let error as DecodingError {
      return error.inWords
    } catch {
      return "\(error)"
    }
  }

  private var everything: JobConfig {
    JobConfig(project: "my-project", image: "image:1").machineTypes("a2-highgpu-1g", "n1-standard-8")
      .spot(thenOnDemand: true).zones("europe-west1-b").regions("europe-west4").accelerator("nvidia-tesla-t4", count: 2)
      .disk(sizeGB: 200, type: "pd-ssd").diskImage(project: "cos-cloud", name: "cos-117").subnetwork("net")
      .withoutExternalAddress().serviceAccount("a@b.example", scopes: ["s"]).labels(["team": "ml"])
      .allowedPersistenceRegions("europe-west1").maxRunDuration(.hours(2)).maxAttempts(3).privileged()
      .sharedMemory("8g").entrypoint("/bin/sh").secrets(["KEY": "key"]).environment(["A": "1"])
      .mountMethod(.gcsfuse).logs(to: .cloudStorage(path: "bucket/logs")).uploadOutputsOnFailure()
  }

  @Test(arguments: [
    JobCommand.image, .arguments(["a", "b c"]), .script("echo 1"),
    .file(name: "x.py", contents: Data([0xFF, 0]), arguments: ["1"]),
    .file(name: "x.py", contents: Data("print(1)".utf8), arguments: []),
  ])
  func `a spec survives JSON, whatever it says`(command: JobCommand) throws {
    var spec = JobSpec(config: everything, command: command)
    spec.environment = ["B": "two\nlines"]
    spec.mounts = ["bucket/in": "/in"]
    spec.outputs = ["/out": "bucket/out"]
    spec.timeoutSeconds = 90
    #expect(try JSONDecoder().decode(JobSpec.self, from: JSONEncoder().encode(spec)) == spec)
    #expect(spec.problems == [])
  }

  @Test func `a limit of the machines' time is seconds, or none`() throws {
    func limit(_ json: String) throws -> JobConfig {
      try JSONDecoder().decode(
        JobConfig.self, from: Data(#"{"project":"p","image":"i","max_run_duration_seconds":\#(json)}"#.utf8))
    }
    #expect(try limit("60").maxRunDurationSeconds == 60)
    let without = try limit(#""none""#)
    #expect(!without.hasRunLimit && without.maxRunDurationSeconds == nil)
    #expect(without == JobConfig(project: "p", image: "i").maxRunDuration(.seconds(60)).withoutMaxRunDuration())
    #expect(try JSONDecoder().decode(JobConfig.self, from: JSONEncoder().encode(without)) == without)
    #expect(without.maxRunDuration(.seconds(60)) == (try limit("60")))
    for wrong in [#""never""#, #""60""#, "true", "[]"] {
      #expect(
        problem(#"{"job":{"project":"p","image":"i","max_run_duration_seconds":\#(wrong)}}"#)
          == #"job.max_run_duration_seconds: expected a whole number of seconds, or "none""#, "\(wrong)")
    }
  }

  @Test func `what has its default value is left out`() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let spec = JobSpec(config: JobConfig(project: "p", image: "i"), command: .image)
    #expect(String(decoding: try encoder.encode(spec), as: UTF8.self) == #"{"job":{"image":"i","project":"p"}}"#)
  }

  @Test(arguments: [
    (#"{"job":{"project":"p","image":"i","zone":["z"]}}"#, #"job: the key "zone" is unknown; did you mean "zones"?"#),
    (
      #"{"job":{"project":"p","image":"i","zones":"z"}}"#,
      #"job.zones: expected a list of zones such as ["europe-west1-b"]"#
    ),
    (#"{"job":{"project":"p"}}"#, #"job: "image" is missing: the name of a container image"#),
    (
      #"{"job":{"project":"p","image":"i","machine_type":"a","machine_types":["b"]}}"#,
      "job.machine_type: give machine_type or machine_types, not both"
    ),
    (
      #"{"job":{"project":"p","image":"i","provisioning":"cheap"}}"#,
      #"job.provisioning: expected one of "standard", "spot" and "spot_then_standard""#
    ),
    (#"{"job":{"project":"p","image":"i"},"comand":"x"}"#, #"the key "comand" is unknown; did you mean "command"?"#),
    (
      #"{"job":{"project":"p","image":"i"},"command":1}"#,
      "command: expected a text (a script) or a list (a program, its arguments)"
    ),
  ])
  func `what a person has mistyped is named with its place`(json: String, expected: String) {
    #expect(problem(json) == expected)
  }

  @Test func `what Google would refuse is said before it is asked`() {
    let job = JobConfig(project: "My Project", image: "").zones("europe-west1").labels(["dagrun": "x", "Team": "a"])
      .maxRunDuration(.seconds(5)).secrets(["KEY": "a/b"]).environment(["1": "x"])
    let problems = job.problems.joined(separator: "\n")
    for part in ["My Project", "\"\" cannot be", "europe-west1", "dagrun's own", "Team", "5 s", "a/b", "\"1\""] {
      #expect(problems.contains(part), "\(part)")
    }
  }
}
