import Dagrun
import Testing

@testable import Clash

/// What the console of a VM that never spoke means for its job.
@Suite struct ReportFaultTests {
  private func fault(_ line: String) -> ReportFault? { SerialConsole(line).fault }

  private func verdict(
    _ line: String, _ change: (inout JobConfig) -> Void = { _ in }
  ) throws -> ReportFault.Verdict {
    var config = JobConfig(project: "demo", image: "i")
    change(&config)
    let candidate = MachineCandidate(machineType: "n1", isSpot: false, place: .zone("eu-west1-b"))
    return try #require(fault("dagrun: cannot report " + line)).verdict(of: config, on: candidate)
  }

  @Test func `the line is found behind what systemd writes, with its account and words`() throws {
    let console = """
      [   12.3] cloud-init[9]: modules:final
      [   31.4] bash[812]: dagrun: Pub/Sub did not take the first message: HTTP 403: no
      [  121.9] bash[812]: dagrun: cannot report [403] [1-compute@developer.gserviceaccount.com]: HTTP 403: no [at] all
      [  122.0] systemd[1]: something else\r

      """
    let found = try #require(fault(console))
    #expect(found.cause == .status(403))
    #expect(found.account == "1-compute@developer.gserviceaccount.com")
    #expect(found.words == "HTTP 403: no [at] all")
    #expect(SerialConsole(console).lastLine == "[ 122.0] systemd[1]: something else")
  }

  @Test func `the newest word counts`() {
    let refused = "dagrun: cannot report [403] [a@b]: no\n"
    #expect(fault(refused + "dagrun: can report\n") == nil)
    #expect(fault(refused + "dagrun: can report\n" + refused)?.cause == .status(403))
  }

  @Test(arguments: [
    "", "dagrun: job a, attempt 1, boot b", "dagrun: cannot report [", "dagrun: cannot report [403]",
    "dagrun: cannot report [99999999999999999999] [a@b]: c", "dagrun: cannot report [-1] [a@b]: c",
    "dagrun: cannot report [] []: c",
  ])
  func `other lines are no fault`(line: String) { #expect(fault(line) == nil) }

  @Test(arguments: ["a@b; rm -rf /", "$(id)@b", "a@b@c", "a", "", "a@b`x`"])
  func `what looks like no account is not put into a command`(account: String) throws {
    let found = try #require(fault("dagrun: cannot report [403] [\(account)]: no"))
    #expect(found.account == nil)
  }

  @Test func `words are a line without what a terminal acts upon`() {
    #expect(SerialConsole("a\u{1b}[2J\u{7}\u{9b}b \t c\u{7f}").lastLine == "a[2Jb c")
    #expect(SerialConsole(String(repeating: "x", count: 1000)).lastLine?.count == 301)
  }

  @Test(arguments: [
    (
      "[403] [w@p]: HTTP 403: User not authorized to perform this action.", "permission",
      "`gcloud projects add-iam-policy-binding demo --member=serviceAccount:w@p --role=roles/pubsub.publisher`"
    ),
    ("[403] []: HTTP 403: no", "permission", "--member=serviceAccount:ACCOUNT "),
    (
      "[403] [w@p]: HTTP 403: Cloud Pub/Sub API has not been used in project 1 before or it is disabled.", "permission",
      "`gcloud services enable pubsub.googleapis.com --project demo`"
    ),
    ("[403] [w@p]: HTTP 403: Request had insufficient authentication scopes.", "permission", "`scopes`"),
    (
      "[403] [w@p]: HTTP 403: This API method requires billing to be enabled.", "permission",
      "gcloud billing projects link demo"
    ),
    (
      "[403] [w@p]: HTTP 403: Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x",
      "permission", "VPC Service Controls"
    ),
    (
      "[401] [w@p]: HTTP 401: Request had invalid authentication credentials.", "permission",
      "`gcloud iam service-accounts enable w@p`"
    ),
    (
      "[token] []: no answer: no access token: curl: (22) The requested URL returned error: 404", "permission",
      "`gcloud iam service-accounts list --project demo`"
    ),
    ("[404] [w@p]: HTTP 404: Resource not found", "cloud", "begin the job again"),
    ("[400] [w@p]: HTTP 400: The request was invalid", "cloud", "allowed_persistence_regions"),
  ])
  func `what another VM would meet too ends the job, with what mends it`(
    line: String, kind: String, advice: String
  ) throws {
    let verdict = try verdict(line)
    #expect(verdict.kind.rawValue == kind)
    #expect(verdict.isCertain)
    #expect(verdict.message.contains(advice), "\(verdict.message)")
    #expect(verdict.message.contains("“"), "the VM's words are quoted")
  }

  @Test(arguments: [
    ("[000] [w@p]: no answer: curl: (28) Connection timed out", "network", "gcloud compute firewall-rules list"),
    (
      "[000] [w@p]: no answer: curl: (6) Could not resolve host: pubsub.googleapis.com", "network",
      "gcloud dns policies list"
    ),
    ("[000] [w@p]: no answer: curl: (60) SSL certificate problem", "network", "opens TLS"),
    ("[503] [w@p]: HTTP 503: unavailable", "cloud", "status.cloud.google.com"),
    ("[429] [w@p]: HTTP 429: slow down", "cloud", "Try again later"),
    ("[token] []: no answer: no access token: curl: (7) Failed to connect", "machine", "zone"),
    ("[disk] [w@p]: the VM's disk does not take the job's files", "machine", "disk_size_gb"),
  ])
  func `what may be this VM's alone has a second one`(line: String, kind: String, advice: String) throws {
    let verdict = try verdict(line)
    #expect(verdict.kind.rawValue == kind)
    #expect(!verdict.isCertain)
    #expect(verdict.message.contains(advice), "\(verdict.message)")
  }

  @Test(arguments: [
    (nil, "subnets update default --region eu-west1 --enable-private-ip-google-access --project demo"),
    ("inner", "subnets update inner --region eu-west1 --enable-private-ip-google-access --project demo"),
    (
      "projects/host/regions/eu-west1/subnetworks/inner",
      "subnets update inner --region eu-west1 --enable-private-ip-google-access --project host"
    ),
  ])
  func `a VM without an external address needs a way to Google`(subnetwork: String?, command: String) throws {
    let verdict = try verdict("[000] [w@p]: no answer: curl: (28) timed out") {
      $0.hasExternalAddress = false
      $0.subnetwork = subnetwork
    }
    #expect(verdict.message.contains("`gcloud compute networks \(command)`"), "\(verdict.message)")
  }
}
