/// What the first part of a machine type's name tells: `n1` of `n1-standard-4`.
struct MachineSeries: Hashable {
  let name: String
  private let isBareMetal: Bool

  init(machineType: String) {
    name = machineType.split(separator: "-").first.map(String.init) ?? machineType
    isBareMetal = machineType.hasSuffix("-metal")
  }

  /// These come with GPUs, and Google refuses to be asked for others.
  /// Their processors are Arm's: they take neither another's operating system nor another's programs.
  var isArm: Bool { ["t2a", "c4a", "n4a", "a4x"].contains(name) }

  /// Google cannot move these to another host while they run.
  var staysOnItsHost: Bool { hasOwnAccelerators || ["h3", "h4d"].contains(name) || isBareMetal }

  var hasOwnAccelerators: Bool { ["a2", "a3", "a4", "a4x", "g2", "g4"].contains(name) }

  /// Balanced disks go with every series; the newest take only Hyperdisk.
  var diskType: String {
    isBareMetal || ["a4", "a4x", "c4", "c4a", "c4d", "g4", "h4d", "m4", "n4", "n4a", "n4d", "x4"].contains(name)
      ? "hyperdisk-balanced" : "pd-balanced"
  }
}
