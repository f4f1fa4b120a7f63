/// Just enough of the ELF format (System V ABI, chapters 4 and 5) to read a section of a 64-bit little-endian file.
enum ELFObject {
  static func section(_ name: String, of bytes: [UInt8]) -> ArraySlice<UInt8>? {
    func number(_ offset: Int, _ size: Int) -> Int? {
      guard offset >= 0, offset + size <= bytes.count else { return nil }
      return bytes[offset..<offset + size].reversed().reduce(0) { $0 &<< 8 | Int($1) }
    }
    func slice(_ offset: Int?, _ size: Int?) -> ArraySlice<UInt8>? {
      guard let offset, let size, offset >= 0, size >= 0, size <= bytes.count, offset <= bytes.count - size else {
        return nil
      }
      return bytes[offset..<offset + size]
    }
    guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]), let table = number(40, 8), let entrySize = number(58, 2),
      let count = number(60, 2), let namesIndex = number(62, 2)
    else { return nil }
    let namesHeader = table + namesIndex * entrySize
    guard let names = slice(number(namesHeader + 24, 8), number(namesHeader + 32, 8)) else { return nil }
    for index in 0..<count {
      let header = table + index * entrySize
      guard let nameOffset = number(header, 4), nameOffset < names.count else { continue }
      let found = names[(names.startIndex + nameOffset)...].prefix { $0 != 0 }
      guard found.elementsEqual(name.utf8) else { continue }
      return slice(number(header + 24, 8), number(header + 32, 8))
    }
    return nil
  }

  /// The names of the libraries that a shared object or an executable asks for.
  static func neededLibraries(of bytes: [UInt8]) -> [String] {
    guard let entries = section(".dynamic", of: bytes), let names = section(".dynstr", of: bytes) else { return [] }
    func number(_ offset: Int) -> Int { entries[offset..<offset + 8].reversed().reduce(0) { $0 &<< 8 | Int($1) } }
    let needed = 1
    return stride(from: entries.startIndex, to: entries.endIndex - 15, by: 16).compactMap { offset in
      let name = number(offset + 8)
      guard number(offset) == needed, name < names.count else { return nil }
      return String(decoding: names[(names.startIndex + name)...].prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
