import Foundation
import FuzzSupport
import Testing

@testable import DagBag

@Suite struct `ELF files` {
  /// Four sections: none, names, and two that have names of versions and of libraries.
  private static func file() -> [UInt8] {
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1] + [UInt8](repeating: 0, count: 1_018)
    func put(_ value: Int, at offset: Int, size: Int = 8) {
      for index in 0..<size { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
    put(62, at: 18, size: 2)
    put(128, at: 40)
    put(64, at: 58, size: 2)
    put(5, at: 60, size: 2)
    put(1, at: 62, size: 2)
    let sections: [(name: String, offset: Int, size: Int)] = [
      (".shstrtab", 512, 96), (".dynstr", 640, 64), (".dynamic", 704, 64), (".gnu.version_r", 768, 64),
    ]
    var nameOffset = 1
    for (index, section) in sections.enumerated() {
      let header = 128 + (index + 1) * 64
      put(nameOffset, at: header, size: 4)
      put(section.offset, at: header + 24)
      put(section.size, at: header + 32)
      for byte in section.name.utf8 {
        bytes[512 + nameOffset] = byte
        nameOffset += 1
      }
      nameOffset += 1
    }
    for (index, byte) in "\0libc.so.6\0GLIBC_2.34\0".utf8.enumerated() { bytes[640 + index] = byte }
    put(1, at: 704)
    put(1, at: 712)
    put(16, at: 768 + 8, size: 4)
    put(11, at: 784 + 8, size: 4)
    return bytes
  }

  @Test func `are read as they are written`() {
    let file = Self.file()
    #expect(ELFObject.machine(of: file) == .amd64)
    #expect(ELFObject.neededLibraries(of: file) == ["libc.so.6"])
    #expect(ELFObject.neededVersions(of: file) == ["GLIBC_2.34"])
  }

  @Test func `with any numbers stop nobody, and end`() {
    let file = Self.file()
    func read(_ bytes: [UInt8]) {
      _ = ELFObject.machine(of: bytes)
      _ = ELFObject.neededLibraries(of: bytes)
      _ = ELFObject.neededVersions(of: bytes)
      _ = ELFObject.runPath(of: bytes)
    }
    for number in FuzzSource.integers {
      for offset in stride(from: 0, to: 840, by: 8) {
        var bytes = file
        withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(offset..<offset + 8, with: $0) }
        read(bytes)
      }
    }
    var fuzz = FuzzSource("ELF files")
    for _ in 0..<FuzzSource.rounds(usual: 3_000) { read(fuzz.mutate(file)) }
    for length in 0..<80 { read(Array(file.prefix(length))) }
  }
}
