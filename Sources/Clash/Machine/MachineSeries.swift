/// What the first part of a machine type's name tells: `n1` of `n1-standard-4`.
struct MachineSeries: Hashable {
  let name: String
  /// nil: the series is newer than the table.
  private let row: Row?
  /// Of its host and its disk: a machine without a hypervisor is like others without, whatever its series.
  private let hostRow: Row?

  init(machineType: String) {
    name = machineType.split(separator: "-").first.map(String.init) ?? machineType
    row = Self.rows[name]
    hostRow = machineType.hasSuffix("-metal") ? Self.rows["metal"] : row
  }

  /// Their processors are Arm's: they take neither another's operating system nor another's programs.
  var isArm: Bool { row?.processor == "arm" }

  /// These come with GPUs, and Google refuses to be asked for others.
  var hasOwnAccelerators: Bool { row.map { $0.accelerators == "own" } ?? isNamedForAccelerators }

  /// Google cannot move these to another host while they run.
  var staysOnItsHost: Bool { hasOwnAccelerators || hostRow?.host == "stays" }

  /// What a boot disk is to be; nil where Google's own default is better, or where nobody knows.
  var diskType: String? { hostRow?.disk.first == "(" ? nil : hostRow?.disk }

  /// What a boot disk is when nothing is asked for; nil for a series that this program does not know.
  var usualDiskType: String? { hostRow?.disk.trimmingPrefix("(").split(separator: ")").first.map(String.init) }

  /// A series newer than the table: so far all of these letters have brought some.
  private var isNamedForAccelerators: Bool {
    ["a", "g"].contains(name.prefix(1)) && name.dropFirst().prefix(1).contains(where: \.isNumber)
  }

  struct Row: Hashable {
    var series: String
    var processor: String
    var accelerators: String
    var host: String
    var disk: String

    /// nil for what is no row.
    init?(_ line: Substring) {
      let columns = line.split(separator: " ").map(String.init)
      guard columns.count == 5 else { return nil }
      (series, processor, accelerators) = (columns[0], columns[1], columns[2])
      (host, disk) = (columns[3], columns[4])
    }
  }

  private static let rows = Dictionary(
    table.split(separator: "\n").dropFirst().compactMap(Row.init).map { ($0.series, $0) }
  ) { first, _ in first }
}
