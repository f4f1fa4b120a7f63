/// Just enough of the ELF format (System V ABI, chapters 4 and 5, and Drepper's on versions of symbols) to read a
/// section of a 64-bit little-endian file, and what it asks of other libraries.
package enum ELFObject {
  package enum Machine: Int { case amd64 = 62, arm64 = 183 }

  /// nil: no such file, or for another machine.
  package static func machine(of bytes: [UInt8]) -> Machine? {
    guard bytes.count > 64, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]) else { return nil }
    return Machine(rawValue: Int(bytes[18]) | Int(bytes[19]) << 8)
  }

  /// Every number of a file is its writer's word: what does not lie inside of it is not there.
  static func section(_ name: String, of bytes: [UInt8]) -> ArraySlice<UInt8>? {
    let file = bytes[...]
    func slice(_ offset: Int?, _ size: Int?) -> ArraySlice<UInt8>? {
      guard let offset, let size, offset >= 0, size >= 0, size <= bytes.count, offset <= bytes.count - size else {
        return nil
      }
      return bytes[offset..<offset + size]
    }
    guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]), let table = number(40, 8, in: file),
      // Then no sum of it with what two bytes can say overflows.
      (0...bytes.count).contains(table), let entrySize = number(58, 2, in: file), let count = number(60, 2, in: file),
      let namesIndex = number(62, 2, in: file)
    else { return nil }
    let namesHeader = table + namesIndex * entrySize
    guard let names = slice(number(namesHeader + 24, 8, in: file), number(namesHeader + 32, 8, in: file)) else {
      return nil
    }
    for index in 0..<count {
      let header = table + index * entrySize
      guard let nameOffset = number(header, 4, in: file), nameOffset < names.count else { continue }
      let found = names[(names.startIndex + nameOffset)...].prefix { $0 != 0 }
      guard found.elementsEqual(name.utf8) else { continue }
      return slice(number(header + 24, 8, in: file), number(header + 32, 8, in: file))
    }
    return nil
  }

  /// The names of the libraries that a shared object or an executable asks for.
  package static func neededLibraries(of bytes: [UInt8]) -> [String] { dynamicNames(tag: 1, of: bytes) }

  /// Where it looks for them first: folders with colons between, among them perhaps `$ORIGIN`, its own.
  package static func runPath(of bytes: [UInt8]) -> String? {
    dynamicNames(tag: 29, of: bytes).first ?? dynamicNames(tag: 15, of: bytes).first
  }

  private static func dynamicNames(tag: Int, of bytes: [UInt8]) -> [String] {
    guard let entries = section(".dynamic", of: bytes), let names = section(".dynstr", of: bytes) else { return [] }
    return stride(from: entries.startIndex, to: max(entries.startIndex, entries.endIndex - 15), by: 16).compactMap {
      offset in
      guard number(offset, 8, in: entries) == tag, let name = number(offset + 8, 8, in: entries) else { return nil }
      return text(name, in: names)
    }
  }

  /// The versions of symbols that it asks for, of all libraries: `GLIBC_2.34`, `GLIBCXX_3.4.30`.
  package static func neededVersions(of bytes: [UInt8]) -> [String] {
    guard let table = section(".gnu.version_r", of: bytes), let names = section(".dynstr", of: bytes) else { return [] }
    var found: [String] = []
    // A list of libraries, each with a list of versions; the offset of the next one is 0 in the last. Of both there are
    // as many entries as have room, or the lists lead into each other.
    var library = table.startIndex
    var left = table.count / 16
    while let first = number(library + 8, 4, in: table), let nextLibrary = number(library + 12, 4, in: table) {
      var version = library + first
      while left > 0, let name = number(version + 8, 4, in: table), let next = number(version + 12, 4, in: table) {
        left -= 1
        if let name = text(name, in: names) { found.append(name) }
        if next == 0 { break }
        version += next
      }
      if nextLibrary == 0 || left == 0 { break }
      library += nextLibrary
    }
    return found
  }

  /// nil when it is not all inside.
  private static func number(_ offset: Int, _ size: Int, in bytes: ArraySlice<UInt8>) -> Int? {
    guard offset >= bytes.startIndex, offset <= bytes.endIndex - size else { return nil }
    return bytes[offset..<offset + size].reversed().reduce(0) { $0 &<< 8 | Int($1) }
  }

  private static func text(_ offset: Int, in names: ArraySlice<UInt8>) -> String? {
    guard offset >= 0, offset < names.count else { return nil }
    return String(decoding: names[(names.startIndex + offset)...].prefix { $0 != 0 }, as: UTF8.self)
  }
}
