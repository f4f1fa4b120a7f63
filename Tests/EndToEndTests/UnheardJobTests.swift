import Foundation
import Testing

/// Jobs whose VMs cannot report: by the real binary and its emulator, whose VMs run what Google's would.
@Suite(.blocking, .serialized) struct UnheardJobTests {
  private static let timings =
    #"{"firstLookSeconds": 0.3, "longestLookSeconds": 0.5, "firstWordSeconds": 1, "graceSeconds": 2}"#

  /// A program that would leave a trace where it began.
  private func run(_ cloud: Cloud) throws -> (code: Int, output: String, errors: String) {
    cloud.project.environment["DAGRUN_JOB_TIMINGS"] = Self.timings
    let ended = try cloud.project.run(
      "job", "run", "--project", "demo", "--image", "debian", "--zone", "europe-west1-b", "--output-dir",
      "/out:bucket/out", "-o", "json", "--", "sh", "-c", "echo here I am; touch /out/trace", timeout: 120)
    return (ended.code, ended.output, ended.errors)
  }

  @Test func `an account without a role costs one VM, and the command that mends it is said`() throws {
    let cloud = try Cloud(options: ["--vm-roles", "none"])
    let ended = try run(cloud)
    #expect(ended.code == 242, "\(ended.output) \(ended.errors)")
    #expect(ended.output.contains(#""kind": "permission""#))
    #expect(ended.output.contains("User not authorized to perform this action."))
    let command = try #require(
      ended.output.firstMatch(
        of:
          /`gcloud projects add-iam-policy-binding demo --member=serviceAccount:(\d+)-compute@developer\.gserviceaccount\.com --role=roles\/pubsub\.publisher`/
      ))
    #expect(!command.1.isEmpty)
    #expect(!ended.errors.contains("here I am"))
    #expect(try cloud.everMade("instances") == 1)
    #expect(try cloud.everMade("objects") == 0)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a VM that is cut off has a second one and no third, and the network is named`() throws {
    let cloud = try Cloud()
    let faults = cloud.project.path + "/cut.yaml"
    try "{machine: {}, boot: cutOff}\n".write(toFile: faults, atomically: true, encoding: .utf8)
    #expect(try cloud.project.run("emulator", "fault", faults).code == 0)
    let ended = try run(cloud)
    #expect(ended.code == 243, "\(ended.output) \(ended.errors)")
    #expect(ended.output.contains(#""kind": "network""#), "\(ended.output)")
    #expect(ended.output.contains("gcloud compute firewall-rules list"))
    #expect(!ended.errors.contains("here I am"))
    #expect(try cloud.everMade("instances") == 2)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a role that is known a moment later is waited for`() throws {
    let cloud = try Cloud()
    let faults = cloud.project.path + "/late.yaml"
    try "{request: {method: pubsub.projects.topics.publish}, status: 403, times: 2}\n".write(
      toFile: faults, atomically: true, encoding: .utf8)
    #expect(try cloud.project.run("emulator", "fault", faults).code == 0)
    let ended = try cloud.project.run(
      "job", "run", "--project", "demo", "--image", "debian", "--zone", "europe-west1-b", "--", "echo", "begun",
      timeout: 120)
    #expect(ended.code == 0 && ended.output == "begun\n", "\(ended.errors)")
    #expect(try cloud.everMade("instances") == 1)
    try cloud.end()
  }
}
