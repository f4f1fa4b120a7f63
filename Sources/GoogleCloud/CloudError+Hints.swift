import Foundation

/// What a person can do about a fault of Google's.
extension CloudError {
  /// What is known about a fault besides its reason.
  struct Facts {
    var service: CloudService
    var project: String?
    var message: String
    var subject: String
    var quota: ComputeFault.QuotaInfo?
    var activationURL: String?
    var helpURL: String?
  }

  static func hint(_ reason: Reason, facts: Facts) -> String? {
    switch reason {
    case .permissionDenied: permissionHint(facts)
    case .unauthenticated:
      "sign in with `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a key file"
    case .apiDisabled: disabledHint(facts)
    case .rateLimited:
      "Google limits requests by the minute: wait a minute, or ask for a higher rate in the project's quotas"
    case .quotaExceeded: quotaHint(facts)
    case .outOfCapacity: capacityHint(facts)
    case .notOffered: offerHint(facts)
    case .inUse: "it can be removed once nothing uses it any more: remove the instance group first"
    case .alreadyExists: "choose another name, or remove what has this one"
    case .notFound: notFoundHint(facts)
    case .invalid: invalidHint(facts)
    case .unavailable: "Google's side has a problem: try again; https://status.cloud.google.com lists larger problems"
    case .network: "the proxy wants credentials: https_proxy=http://USER:PASSWORD@HOST:PORT"
    case .badAnswer, .cancelled, .other: facts.helpURL.map { "see \($0)" }
    }
  }

  private static func permissionHint(_ facts: Facts) -> String {
    let message = facts.message
    if message.contains("Constraint constraints/") {
      let constraint = word(after: "Constraint ", in: message) ?? "a constraint"
      return constraint.contains("vmExternalIpAccess")
        ? "the organisation forbids external addresses: run the job without one, in a subnetwork with Private Google Access or Cloud NAT"
        : "the organisation's policy \(constraint) forbids it: ask who administers the organisation"
    }
    if message.contains("scope") && message.contains("insufficient") {
      return "the credentials lack the scope https://www.googleapis.com/auth/cloud-platform: sign in again with it"
    }
    let grant = "gcloud projects add-iam-policy-binding \(facts.project ?? "PROJECT") --member=WHO --role="
    if message.contains("actAs") || message.contains("serviceAccountUser") {
      return "grant roles/iam.serviceAccountUser on the VM's service account: `\(grant)roles/iam.serviceAccountUser`"
    }
    if let permission = quoted(before: " permission", in: message) ?? word(after: "permission ", in: message),
      permission.contains(".")
    {
      return "the permission \(permission) is missing; \(role(facts.service)) has it: `\(grant)\(role(facts.service))`"
    }
    return "grant \(role(facts.service)): `\(grant)\(role(facts.service))`"
  }

  /// The role that a job's client needs for the service.
  private static func role(_ service: CloudService) -> String {
    switch service {
    case .compute: "roles/compute.instanceAdmin.v1"
    case .pubSub: "roles/pubsub.editor"
    case .storage, .storageUpload: "roles/storage.objectAdmin"
    case .secretManager: "roles/secretmanager.secretAccessor"
    }
  }

  private static func disabledHint(_ facts: Facts) -> String {
    if facts.message.localizedCaseInsensitiveContains("billing") {
      return "link a billing account to the project: https://console.cloud.google.com/billing/projects"
    }
    let api =
      switch facts.service {
      case .compute: "compute.googleapis.com"
      case .pubSub: "pubsub.googleapis.com"
      case .storage, .storageUpload: "storage.googleapis.com"
      case .secretManager: "secretmanager.googleapis.com"
      }
    let project = facts.project.map { " --project \($0)" } ?? ""
    let page = facts.activationURL.map { ", or at \($0)" } ?? ""
    return "switch it on with `gcloud services enable \(api)\(project)`\(page); it takes some minutes"
  }

  private static func quotaHint(_ facts: Facts) -> String {
    let metric =
      facts.quota?.limitName ?? facts.quota?.metricName ?? quoted(after: "Quota ", in: facts.message) ?? "the quota"
    let region =
      facts.quota?.dimensions?["region"] ?? facts.quota?.dimensions?["zone"]
      ?? word(after: "in region ", in: facts.message)
    let page = "https://console.cloud.google.com/iam-admin/quotas" + (facts.project.map { "?project=\($0)" } ?? "")
    if facts.message.contains("globally") {
      return "raise \(metric) (\(page)): it counts all regions together, so that another region does not help"
    }
    return
      "raise \(metric)\(region.map { " in \($0)" } ?? "") (\(page)), or give the job another region or a smaller machine type"
  }

  private static func capacityHint(_ facts: Facts) -> String {
    if facts.message.contains("IP space") || facts.message.contains("subnetworks/") {
      return "the subnetwork has no free address: widen its range, or give the job another region"
    }
    let link = word(containing: "zones/", in: facts.message).map(Scope.init(link:))
    if case .zone(let zone)? = link {
      return
        "add a zone besides \(zone) to the job (others of \(Scope.region(of: zone)), or the whole region), or another machine type"
    }
    return "add a zone or a region to the job, or another machine type"
  }

  private static func offerHint(_ facts: Facts) -> String {
    let message = facts.message.lowercased()
    if !message.contains("machine"), !message.contains("accelerator") {
      return "`gcloud compute zones list` and `gcloud compute regions list` tell which places there are"
    }
    return message.contains("accelerator")
      ? "not every zone has every accelerator: `gcloud compute accelerator-types list --filter=name=TYPE` tells which"
      : "not every zone has every machine type: `gcloud compute machine-types list --filter=name=TYPE` tells which"
  }

  private static func notFoundHint(_ facts: Facts) -> String? {
    if let project = facts.project,
      facts.message.contains("project not found") || facts.message.contains("'projects/\(project)' was not found")
    {
      return "\(project) is not a project that you may see: `gcloud projects list` shows those there are, by their ids"
    }
    if facts.message.contains("subnetworks/") || facts.message.contains("networks/") {
      return
        "the job's network is not there: name its subnetwork, also in another project's (projects/P/regions/R/subnetworks/S)"
    }
    return facts.helpURL.map { "see \($0)" }
  }

  private static func invalidHint(_ facts: Facts) -> String? {
    if facts.message.contains("machineType") || facts.message.contains("machine type") {
      return "not every zone has every machine type: `gcloud compute machine-types list --filter=name=TYPE` tells which"
    }
    return facts.helpURL.map { "see \($0)" }
  }

  // MARK: Words of a message

  private static func word(after prefix: String, in text: String) -> String? {
    guard let range = text.range(of: prefix) else { return nil }
    return clean(text[range.upperBound...].prefix { !$0.isWhitespace })
  }

  private static func word(containing part: String, in text: String) -> String? {
    text.split(whereSeparator: \.isWhitespace).first { $0.contains(part) }.flatMap(clean)
  }

  /// `'CPUS'` of `Quota 'CPUS' exceeded`.
  private static func quoted(after prefix: String, in text: String) -> String? {
    guard let range = text.range(of: prefix + "'") else { return nil }
    return clean(text[range.upperBound...].prefix { $0 != "'" })
  }

  /// `'compute.instances.create'` of `Required 'compute.instances.create' permission for …`.
  private static func quoted(before suffix: String, in text: String) -> String? {
    guard let range = text.range(of: "'" + suffix) else { return nil }
    return clean(text[..<range.lowerBound].reversed().prefix { $0 != "'" }.reversed())
  }

  private static func clean(_ text: some Collection<Character>) -> String? {
    let bare = String(text).trimmingCharacters(in: CharacterSet(charactersIn: "'\"`.,;:()[]"))
    return bare.isEmpty ? nil : bare
  }
}
