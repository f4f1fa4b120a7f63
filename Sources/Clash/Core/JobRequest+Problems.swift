import Dagrun

// What is wrong with a job, all of it at once, before anything is sent.
extension JobRequest {
  /// In words, each with what to do; empty when nothing is. Besides what a DAG file is checked for
  /// (`JobSpec.problems`): the name, and what only shows with every value known.
  package var problems: [String] {
    var found = [JobName.problem(name)].compactMap { $0 } + spec.problems
    func check(_ isRight: Bool, _ message: @autoclosure () -> String) {
      if !isRight { found.append(message()) }
    }
    let config = spec.config
    if let size = config.sharedMemorySize {
      check(Self.isSize(size), "\"\(size)\" is not a shared_memory_size; write it as \"8g\" or \"512m\"")
    }
    if let subnetwork = config.subnetwork {
      check(
        Self.isSubnetwork(subnetwork),
        "\"\(subnetwork)\" is not a subnetwork; write its name, or projects/HOST/regions/REGION/subnetworks/NAME")
    }
    if let problem = Self.problem(subnetworkOf: config) { found.append(problem) }
    check(
      config.serviceAccount == "default" || Self.isAddress(config.serviceAccount),
      "\"\(config.serviceAccount)\" is not a service_account; write its email address, or \"default\"")
    check(!config.scopes.isEmpty, "the job has no scopes; without one it can neither report nor end itself")
    for scope in config.scopes {
      check(
        scope.hasPrefix("https://") && !scope.utf8.contains { $0 <= 32 },
        "\"\(scope)\" is not a scope; write it as \"https://www.googleapis.com/auth/cloud-platform\"")
    }
    for (variable, _) in config.secrets.sorted(by: { $0.key < $1.key }) {
      check(
        spec.allEnvironment[variable] == nil,
        "\(variable) is in the environment and in secrets; leave it in one of them")
    }
    var directories: [String: String] = [:]
    for (source, directory) in spec.mounts.sorted(by: { $0.key < $1.key }) {
      let place = JobConfig.plain(directory)
      check(place != "/", "\(source) cannot be mounted at /; name a directory")
      if let other = directories.updateValue(source, forKey: place) {
        found.append("\(other) and \(source) have the same directory \(place); give each its own")
      }
    }
    for directory in spec.outputs.keys.sorted() {
      check(JobConfig.plain(directory) != "/", "the output / is the whole container; name a directory")
    }
    return found
  }

  private static func isSize(_ text: String) -> Bool {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    return (Int(digits) ?? 0) > 0 && ["", "b", "k", "m", "g"].contains(text.dropFirst(digits.count).lowercased())
  }

  private static func isSubnetwork(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0 > 32 } }) else { return false }
    return parts.count == 1
      || parts.count == 6 && parts[0] == "projects" && parts[2] == "regions" && parts[4] == "subnetworks"
  }

  /// A subnetwork with a region of its own serves VMs of that region only.
  private static func problem(subnetworkOf config: JobConfig) -> String? {
    guard let subnetwork = config.subnetwork, isSubnetwork(subnetwork) else { return nil }
    let path = subnetwork.split(separator: "/").map(String.init)
    guard path.count == 6,
      let outside = Ladder(config).candidates.map(\.place).first(where: { $0.region != path[3] })
    else { return nil }
    return
      "the subnetwork \(subnetwork) is in \(path[3]), and the job may ask for a VM in \(outside.name); name places of "
      + "\(path[3]) only, or give the subnetwork's short name"
  }

  private static func isAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0 > 32 } }
  }
}
