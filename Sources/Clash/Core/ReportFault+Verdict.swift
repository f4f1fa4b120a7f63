package import Dagrun

extension ReportFault {
  /// How a job ends whose VM could not report, and what mends it.
  package struct Verdict: Hashable, Sendable {
    package var kind: InfrastructureFailure.Kind
    /// What happened, Google's or the VM's words, and what to do next.
    package var message: String
    /// Another VM would meet the same.
    package var isCertain: Bool
  }

  package func verdict(of config: JobConfig, on candidate: MachineCandidate) -> Verdict {
    switch cause {
    case .status(401), .status(403):
      return Verdict(.permission, "the VM's account may not report", words, permissionAdvice(config), isCertain: true)
    case .noToken where words.contains("error: 40"):
      return Verdict(
        .permission, "the VM gets no token of a service account", words,
        "Name an account that exists and is enabled as the job's service_account: "
          + "`gcloud iam service-accounts list --project \(config.project)` shows those there are", isCertain: true)
    case .status(404):
      return Verdict(
        .cloud, "the job's topic is gone", words, "Somebody has deleted it: begin the job again", isCertain: true)
    case .noAnswer:
      return Verdict(
        .network, "the VM does not reach Pub/Sub", words, networkAdvice(config, candidate.place.region),
        isCertain: false)
    case .status(let status) where (400..<500).contains(status) && ![408, 429].contains(status):
      return Verdict(
        .cloud, "Pub/Sub refuses the VM's messages", words,
        "See what the organisation's policies and the job's allowed_persistence_regions ask of its topic",
        isCertain: true)
    case .status:
      return Verdict(
        .cloud, "Pub/Sub does not take the VM's messages", words,
        "Try again later; https://status.cloud.google.com lists larger problems", isCertain: false)
    case .noToken:
      return Verdict(
        .machine, "the VM's metadata server gives no token", words, "Try again, or in another zone", isCertain: false)
    case .disk:
      return Verdict(.machine, "the VM cannot begin", words, "Give it a larger disk (disk_size_gb)", isCertain: false)
    }
  }

  private func permissionAdvice(_ config: JobConfig) -> String {
    let project = config.project
    let who = account ?? "the VM's service account"
    let said = words.lowercased()
    func has(_ parts: String...) -> Bool { parts.contains { said.contains($0) } }
    if has("authentication scopes") {
      return "Leave out the job's `scopes`, or add https://www.googleapis.com/auth/pubsub to them"
    }
    if has("billing") {
      return "Link a billing account: `gcloud billing projects link \(project) --billing-account=ACCOUNT`"
    }
    if has("has not been used in project", "it is disabled", "service_disabled") {
      return "Switch Pub/Sub on: `gcloud services enable pubsub.googleapis.com --project \(project)`"
    }
    if has("organization's policy", "vpc service controls") {
      return "A perimeter of VPC Service Controls keeps \(who) from Pub/Sub: ask who administers the organisation"
    }
    if cause == .status(401) {
      return "\(who) is disabled or deleted: `gcloud iam service-accounts enable \(account ?? "ACCOUNT")`, or name "
        + "another one as the job's service_account"
    }
    return "Grant \(who) the role: `gcloud projects add-iam-policy-binding \(project) "
      + "--member=serviceAccount:\(account ?? "ACCOUNT") --role=roles/pubsub.publisher`; it may take some minutes until "
      + "Google knows it everywhere"
  }

  /// curl says in its number how far it came: 6 no address, 35 and 60 no trust, else no route.
  private func networkAdvice(_ config: JobConfig, _ region: String) -> String {
    if words.contains("curl: (6)") {
      return "The network's DNS does not know pubsub.googleapis.com: `gcloud dns policies list` and "
        + "`gcloud dns response-policies list` show what it has of its own"
    }
    if words.contains("curl: (35)") || words.contains("curl: (60)") {
      return "Something answers in Google's place, such as a proxy that opens TLS: let *.googleapis.com pass, or take "
        + "another `subnetwork`"
    }
    let (project, subnetwork) = subnetwork(of: config)
    if config.hasExternalAddress {
      return "A firewall rule or a missing route stops it: `gcloud compute firewall-rules list "
        + "--filter=direction=EGRESS --project \(project)` and `gcloud compute routes list --project \(project)` show them"
    }
    return "It has no external address: `gcloud compute networks subnets update \(subnetwork) --region \(region) "
      + "--enable-private-ip-google-access --project \(project)`, or give the network a Cloud NAT"
  }

  private func subnetwork(of config: JobConfig) -> (project: String, name: String) {
    guard let asked = config.subnetwork else { return (config.project, "default") }
    let path = asked.split(separator: "/").map(String.init)
    return (path.count == 6 ? path[1] : config.project, path.last ?? asked)
  }
}

extension ReportFault.Verdict {
  fileprivate init(
    _ kind: InfrastructureFailure.Kind, _ what: String, _ words: String, _ advice: String, isCertain: Bool
  ) {
    self.init(
      kind: kind, message: "\(what), so the program was not begun: “\(words)”. \(advice)", isCertain: isCertain)
  }
}
