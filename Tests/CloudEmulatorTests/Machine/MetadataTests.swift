import Foundation
#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif
import Testing

@testable import CloudEmulator

struct MetadataTests {
  private let metadata = InstanceMetadata(
    {
      var machine = VirtualMachineDescription(
        project: "my-project", zone: "europe-west1-b", name: "job-1", id: 42, machineType: "n1-standard-4",
        isSpot: true,
        metadata: ["user-data": "#cloud-config", "my-key": "a\"b"], serviceAccount: "default", scopes: ["s1", "s2"],
        folder: "/nowhere")
      machine.projectNumber = 99
      return machine
    }())

  private func answer(_ path: String, flavor: Bool = true, forwarded: Bool = false) -> MetadataAnswer {
    MetadataAnswer(
      MetadataRequest(uri: "/computeMetadata/v1/" + path, hasFlavor: flavor, isForwarded: forwarded), metadata)
  }

  private func response(_ answer: MetadataAnswer) -> MetadataAnswer.Response? {
    if case .respond(let response) = answer { response } else { nil }
  }

  @Test(arguments: [
    ("instance/id", "42"), ("instance/name", "job-1"), ("instance/zone", "projects/99/zones/europe-west1-b"),
    ("instance/machine-type", "projects/99/machineTypes/n1-standard-4"),
    ("instance/hostname", "job-1.europe-west1-b.c.my-project.internal"), ("instance/attributes/my-key", "a\"b"),
    ("instance/attributes/", "my-key\nuser-data\n"), ("instance/preempted", "FALSE"),
    ("instance/service-accounts/default/email", "99-compute@developer.gserviceaccount.com"),
    ("instance/service-accounts/default/scopes", "s1\ns2\n"), ("instance/scheduling/preemptible", "TRUE"),
    ("project/project-id", "my-project"), ("project/numeric-project-id", "99"),
    ("instance/service-accounts/default/", "aliases\nemail\nscopes\ntoken\n"),
    ("instance/attributes/?recursive=true", ##"{"my-key":"a\"b","user-data":"#cloud-config"}"##),
    ("project/?recursive=true", #"{"attributes":{},"numericProjectId":99,"projectId":"my-project"}"#),
  ])
  func `values are where Compute Engine has them`(path: String, value: String) {
    #expect(response(answer(path))?.status == 200)
    #expect(response(answer(path))?.body == value)
  }

  @Test func `what is not there is 404, a folder without its slash moved, a request without the header refused`() {
    #expect(response(answer("instance/nothing"))?.status == 404)
    #expect(response(answer("instance/attributes"))?.location == "/computeMetadata/v1/instance/attributes/")
    #expect(response(answer("instance/id", flavor: false))?.status == 403)
    #expect(response(answer("instance/id", forwarded: true))?.status == 403)
  }

  @Test func `a token is asked for with the scopes of the request, or the VM's`() {
    #expect(answer("instance/service-accounts/default/token") == .token(scopes: nil))
    #expect(answer("instance/service-accounts/default/token?scopes=a,b") == .token(scopes: ["a", "b"]))
  }

  @Test func `a change is waited for, unless the tag is of an older value`() throws {
    let tag = try #require(response(answer("instance/preempted"))?.entityTag)
    #expect(answer("instance/preempted?wait_for_change=true&timeout_sec=5") == .wait(since: tag, seconds: 5))
    #expect(answer("instance/preempted?wait_for_change=true&last_etag=\(tag)") == .wait(since: tag, seconds: nil))
    #expect(response(answer("instance/preempted?wait_for_change=true&last_etag=older"))?.body == "FALSE")
    var changed = metadata
    changed.isPreempted = true
    let request = MetadataRequest(
      uri: "/computeMetadata/v1/instance/preempted?wait_for_change=true", hasFlavor: true, isForwarded: false)
    #expect(response(MetadataAnswer(request, changed, since: tag))?.body == "TRUE")
    #expect(response(MetadataAnswer(request, metadata, since: tag, isLate: true))?.body == "FALSE")
  }

  @Test func `the server speaks HTTP, issues tokens, and ends what waits`() async throws {
    let server = try MetadataServer.start(metadata, identity: .of("/vm")) { account, scopes in
      MachineToken(value: "for \(account) \(scopes)", expiresAt: Date() + 3600)
    }
    func get(_ path: String) async throws -> (Data, HTTPURLResponse) {
      var request = URLRequest(url: URL(string: "http://\(server.address)/computeMetadata/v1/\(path)")!)
      request.setValue("Google", forHTTPHeaderField: "Metadata-Flavor")
      let (data, response) = try await URLSession.shared.data(for: request)
      return (data, response as! HTTPURLResponse)
    }
    let (token, head) = try await get("instance/service-accounts/default/token")
    #expect(head.value(forHTTPHeaderField: "Metadata-Flavor") == "Google")
    #expect(String(decoding: token, as: UTF8.self).contains(#""access_token":"for default ["#))
    let late = try await get("instance/preempted?wait_for_change=true&timeout_sec=0")
    #expect(String(decoding: late.0, as: UTF8.self) == "FALSE")
    let tag = try #require(late.1.value(forHTTPHeaderField: "ETag"))
    async let change = get("instance/preempted?wait_for_change=true&last_etag=\(tag)")
    server.update { $0.isPreempted = true }
    #expect(try await String(decoding: change.0, as: UTF8.self) == "TRUE")
    server.stop()
  }
}
