internal import CLinux
internal import Glibc

/// Tells whether code that ran in this process has left it as it was: signals, limits, nice, ids, root folder, locale,
/// environment, descriptors, threads, timers and what else a process has.
///
/// The kernel is asked about all of it only where something may have changed: a function that changes such a state was
/// called (they are counted on their way to the C library), or the code took its time. So code that does nothing costs
/// two system calls. What it can do unseen is to change something in less than `longSeconds` by a system call of its
/// own making.
package struct ProcessState: Sendable {
  private var known: [UInt8]
  private let mask: mode_t
  private var changes: UInt = 0
  private var begin = 0.0

  /// To ask the kernel takes that long, or a little more.
  private static let longSeconds = 50e-6

  /// Takes this moment's state, with that of the calling thread, for the right one.
  package init() {
    // There is no other way to ask for it.
    mask = umask(0o022)
    umask(mask)
    clinux_remember_root()
    clinux_remember_environment()
    clinux_remember_descriptors()
    known = Self.text(onlyForeign: false)
  }

  /// Such code begins now. It finds the mask of new files as it was.
  package mutating func begins() {
    changes = clinux_changes()
    begin = monotonicSeconds()
  }

  /// The code has ended. Called on the thread that called `begins`.
  ///
  /// Puts back at once what is needed to end a task properly: the mask of new files, the root folder, the user.
  ///
  /// - Returns: nil when all is as it was; otherwise the first thing that is not.
  package mutating func difference() -> String? {
    umask(mask)
    let isUntouched = clinux_changes() == changes && monotonicSeconds() - begin < Self.longSeconds
    if isUntouched, clinux_environment_is_unchanged() != 0, clinux_descriptors_are_unchanged() != 0 { return nil }
    let now = Self.text(onlyForeign: false)
    guard now != known else {
      // The same variables in another place.
      clinux_remember_environment()
      return nil
    }
    clinux_put_back_root_and_ids()
    return Self.firstDifference(known, now)
  }

  /// As `difference`, after something that ran in a process of its own, and could change this one only from outside.
  package func differenceFromOutside() -> String? {
    umask(mask)
    let now = Self.text(onlyForeign: true)
    return known.starts(with: now) ? nil : Self.firstDifference(known, now)
  }

  /// Takes what there is now for the right state: code was loaded, which may open files, start threads and set
  /// variables.
  ///
  /// - Returns: nil when it has changed nothing that processes started from here would inherit; otherwise the first
  ///   such thing.
  package mutating func loaded() -> String? {
    umask(mask)
    let before = known
    clinux_remember_environment()
    clinux_remember_descriptors()
    known = Self.text(onlyForeign: false)
    return Self.firstDifference(before.filteredToInherited, known.filteredToInherited)
  }

  private static func text(onlyForeign: Bool) -> [UInt8] {
    var size = 32 << 10
    while true {
      var length = 0
      let text = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
        length = buffer.withMemoryRebound(to: CChar.self) {
          Int(clinux_process_state($0.baseAddress, UInt(size), onlyForeign ? 1 : 0))
        }
        used = min(length, size)
      }
      // The last byte of what was cut is a zero.
      if length < size { return text }
      size = length + 4096
    }
  }

  private static func firstDifference(_ before: [UInt8], _ after: [UInt8]) -> String? {
    let newline = UInt8(ascii: "\n")
    let (old, new) = (before.split(separator: newline), after.split(separator: newline))
    guard old != new else { return nil }
    let different = zip(old, new).first { $0 != $1 }?.0 ?? old.last ?? []
    // `environment: NAME=value`: what a task put there is nobody's business.
    return String(decoding: different.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
  }
}

extension [UInt8] {
  fileprivate var filteredToInherited: [UInt8] {
    let own = ["descriptor ", "Threads:", "lasting:", "signal ", "timer", "environment:", "locale:", "name:", "Name:"]
      .map { Array($0.utf8) }
    return Array(
      split(separator: UInt8(ascii: "\n")).filter { line in !own.contains { line.starts(with: $0) } }
        .joined(separator: [UInt8(ascii: "\n")]))
  }
}

/// Calls back, with its number, before this process closes one of the descriptors, or makes it point elsewhere.
package func guardDescriptors(_ descriptors: [Int32], _ callback: @escaping @convention(c) (Int32) -> Void) {
  for descriptor in descriptors { clinux_guard_descriptor(descriptor) }
  clinux_on_guarded_close(callback)
}
