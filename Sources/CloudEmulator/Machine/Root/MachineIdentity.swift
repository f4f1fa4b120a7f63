internal import Foundation
internal import Processes

/// Which ids of this machine the ids of a VM are, from 0 on: those of nobody who has anything here.
struct MachineIdentity: Codable, Hashable {
  var first: UInt32
  var count: UInt32

  /// As many as a VM's programs may want.
  private static let wanted: UInt32 = 65536
  /// Of the ids that systemd, too, gives to containers, the upper half.
  private static let pool: ClosedRange<UInt32> = 0x6000_0000...0x6fff_ffff

  /// - Parameter key: the same VM has the same ids at each boot, for its files are theirs.
  static func of(_ key: String) -> MachineIdentity {
    guard geteuid() == 0 else { return MachineIdentity(first: 0, count: 1) }
    return own(
      key, users: readWholeFile("/proc/self/uid_map") ?? [], groups: readWholeFile("/proc/self/gid_map") ?? [])
  }

  /// For root of a system that has the ids of these maps.
  static func own(_ key: String, users: [UInt8], groups: [UInt8]) -> MachineIdentity {
    let slots = (pool.upperBound - pool.lowerBound) / wanted
    let hash = key.utf8.reduce(0x811c_9dc5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    let own = MachineIdentity(first: pool.lowerBound + (hash % slots) * wanted, count: wanted)
    let maps = [users, groups]
    if maps.allSatisfy({ own.isIn($0) }) { return own }
    // In a container that has some ids only: nobody's, or the last there is.
    let nobody = MachineIdentity(first: 65534, count: 1)
    if maps.allSatisfy({ nobody.isIn($0) }) { return nobody }
    let last = maps.map { ranges(of: $0).map(\.upperBound).max() ?? 0 }.min() ?? 0
    return MachineIdentity(first: last, count: 1)
  }

  private func isIn(_ map: [UInt8]) -> Bool {
    let last = first + (count - 1)
    return Self.ranges(of: map).contains { $0.contains(first) && $0.contains(last) }
  }

  /// Of `/proc/PID/uid_map`: the ids as they are seen here.
  private static func ranges(of map: [UInt8]) -> [ClosedRange<UInt32>] {
    String(decoding: map, as: UTF8.self).split(separator: "\n").compactMap { line in
      let numbers = line.split(separator: " ").compactMap { UInt32($0) }
      guard numbers.count == 3, numbers[2] > 0 else { return nil }
      let (last, isOver) = numbers[0].addingReportingOverflow(numbers[2] - 1)
      return numbers[0]...(isOver ? .max : last)
    }
  }

  /// Whether a process of this user of the machine may be one of the VM's. Root may everything anyway.
  func owns(_ user: UInt32) -> Bool {
    if user == 0 { return true }
    if first == 0 { return user == geteuid() }
    return user >= first && user - first < count
  }

  /// Gives a file, or a folder with all that is in it, to the VM's root. No link is followed.
  func give(_ path: String) throws {
    guard geteuid() == 0, first != 0 else { return }
    try check(lchown(path, first, first), "give \(path) to the VM")
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
    for name in try FileManager.default.contentsOfDirectory(atPath: path) { try give("\(path)/\(name)") }
  }

  /// As `give`, the first time; afterwards what is there is the VM's.
  func giveOnce(_ path: String) throws {
    var status = stat()
    if lstat(path, &status) == 0, status.st_uid == geteuid() { try give(path) }
  }
}
