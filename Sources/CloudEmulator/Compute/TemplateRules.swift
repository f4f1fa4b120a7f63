/// What Compute Engine refuses of an instance template's properties, beyond unknown fields.
enum TemplateRules {
  static let metadataValueLimit = 262_144
  static let metadataLimit = 524_288

  static func check(_ properties: JSON) throws(APIFailure) {
    let root = "resource.properties"
    guard properties != .null else {
      throw APIFailure(400, "required", "Required field '\(root)' not specified")
    }
    guard let machineType = properties["machineType"].text, !machineType.isEmpty else {
      throw APIFailure(400, "required", "Required field '\(root).machineType' not specified")
    }
    guard !machineType.contains("/") else {
      throw .invalid(
        "\(root).machineType", machineType, "Machine type specified in an instance template must be only a name.")
    }
    try checkDisks(properties["disks"].elements, root)
    guard !properties["networkInterfaces"].elements.isEmpty else {
      throw .invalid("\(root).networkInterfaces", "", "At least one network interface is required.")
    }
    try checkMetadata(properties["metadata"]["items"].elements, root)
    try checkLabels(properties["labels"].fields, "\(root).labels")
    try checkScheduling(properties, root)
    guard properties["serviceAccounts"].elements.count <= 1 else {
      throw .invalid("\(root).serviceAccounts", "", "At most one service account is allowed.")
    }
  }

  private static func checkDisks(_ disks: [JSON], _ root: String) throws(APIFailure) {
    guard disks.contains(where: { $0["boot"].flag == true }) else {
      throw .invalid("\(root).disks", "", "Boot disk must be specified.")
    }
    for (index, disk) in disks.enumerated() {
      let field = "\(root).disks[\(index)].initializeParams"
      let parameters = disk["initializeParams"]
      if disk["boot"].flag == true, parameters["sourceImage"].text == nil, disk["source"].text == nil,
        parameters["sourceSnapshot"].text == nil
      {
        throw .invalid(field + ".sourceImage", "", "A boot disk needs an image.")
      }
      if let type = parameters["diskType"].text, type.contains("/") {
        throw .invalid(field + ".diskType", type, "Disk type specified in an instance template must be only a name.")
      }
      if let size = parameters["diskSizeGb"].whole, size < 10 {
        throw .invalid(field + ".diskSizeGb", "\(size)", "Disk size cannot be smaller than the image size (10 GB).")
      }
    }
  }

  private static func checkMetadata(_ items: [JSON], _ root: String) throws(APIFailure) {
    var keys: Set<String> = []
    var total = 0
    for (index, item) in items.enumerated() {
      let field = "\(root).metadata.items[\(index)]"
      let key = item["key"].text ?? ""
      guard !key.isEmpty, key.utf8.count <= 128, key.utf8.allSatisfy({ isKeyByte($0) }) else {
        throw .invalid("\(field).key", key, "Must be a match of regex '[a-zA-Z0-9-_]{1,128}'")
      }
      guard keys.insert(key).inserted else {
        throw .invalid("\(root).metadata", key, "Metadata has duplicate keys: \(key)")
      }
      let size = item["value"].text?.utf8.count ?? 0
      guard size <= metadataValueLimit else {
        throw APIFailure(
          400, "invalid",
          "Value for field '\(field).value' is too large: maximum size \(metadataValueLimit) character(s); actual size "
            + "\(size).")
      }
      total += key.utf8.count + size
    }
    guard total <= metadataLimit else {
      throw APIFailure(
        400, "invalid",
        "Value for field '\(root).metadata' is too large: maximum size \(metadataLimit) character(s); actual size "
          + "\(total).")
    }
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  static func checkLabels(_ labels: [String: JSON], _ field: String) throws(APIFailure) {
    func isText(_ text: String) -> Bool {
      text.utf8.count <= 63
        && text.unicodeScalars.allSatisfy {
          $0.properties.isLowercase || $0.properties.numericType != nil || $0 == "-" || $0 == "_"
            || ($0.value > 127 && $0.properties.isAlphabetic && !$0.properties.isUppercase)
        }
    }
    guard labels.count <= 64 else { throw .invalid(field, "\(labels.count)", "At most 64 labels are allowed.") }
    for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
      guard let first = key.unicodeScalars.first, first.properties.isAlphabetic, isText(key) else {
        throw .invalid(field, key, "Label keys must match '[\\p{Ll}\\p{Lo}][\\p{Ll}\\p{Lo}\\p{N}_-]{0,62}'.")
      }
      guard isText(value.text ?? "") else {
        throw .invalid(
          field, value.text ?? "", "Label value of '\(key)' must match '[\\p{Ll}\\p{Lo}\\p{N}_-]{0,63}'.")
      }
    }
  }

  private static func checkScheduling(_ properties: JSON, _ root: String) throws(APIFailure) {
    let scheduling = properties["scheduling"]
    let field = "\(root).scheduling"
    let isSpot = scheduling["provisioningModel"].text == "SPOT"
    if isSpot || scheduling["preemptible"].flag == true {
      if scheduling["automaticRestart"].flag == true {
        throw .invalid(
          field + ".automaticRestart", "true", "Scheduling must have automaticRestart be false for Spot VMs.")
      }
      if scheduling["onHostMaintenance"].text == "MIGRATE" {
        throw .invalid(field + ".onHostMaintenance", "MIGRATE", "Spot VMs cannot be live migrated.")
      }
    }
    let limit = scheduling["maxRunDuration"]["seconds"].whole
    if scheduling["instanceTerminationAction"].text != nil, !isSpot, limit == nil,
      scheduling["terminationTime"] == .null
    {
      throw .invalid(
        field + ".instanceTerminationAction", scheduling["instanceTerminationAction"].text ?? "",
        "You can only specify an instance termination action for Spot VMs or VMs with a run limit.")
    }
    if let limit {
      guard scheduling["instanceTerminationAction"].text != nil else {
        throw .invalid(field + ".instanceTerminationAction", "", "A VM with maxRunDuration needs a termination action.")
      }
      guard (30...10_368_000).contains(limit) else {
        throw .invalid(
          field + ".maxRunDuration", "\(limit)", "Must be between 30 and 10368000 seconds (120 days).")
      }
    }
    let brings = ["a2-", "a3-", "g2-"].contains { properties["machineType"].text?.hasPrefix($0) == true }
    let accelerators = properties["guestAccelerators"].elements
    for (index, accelerator) in accelerators.enumerated() {
      let type = accelerator["acceleratorType"].text ?? ""
      guard !type.contains("/"), ComputeCatalog.acceleratorTypes.contains(type) else {
        throw .invalid(
          "\(root).guestAccelerators[\(index)].acceleratorType", type,
          "In an instance template it must be the name of an accelerator type.")
      }
    }
    if brings || !accelerators.isEmpty, scheduling["onHostMaintenance"].text != "TERMINATE" {
      throw .invalid(
        field + ".onHostMaintenance", scheduling["onHostMaintenance"].text ?? "MIGRATE",
        "Instances with guest accelerators do not support live migration.")
    }
  }
}
