internal import CLinux
internal import Glibc

/// Gives back memory that only starting up, or reading much, needed: what is free in the heap, and the program text
/// that was touched. Text is read again from the file when it is wanted, and is in the page cache meanwhile.
package func giveBackMemory() {
  clinux_trim_heap()
  guard let maps = readWholeFile("/proc/self/maps") else { return }
  for line in maps.split(separator: UInt8(ascii: "\n")) {
    // 7f1c4a600000-7f1c4aa8e000 r-xp 0013b000 fe:00 1573 /usr/lib/libswiftCore.so
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
    // Only what can never have been written to: the pages of other mappings may differ from the file.
    guard fields.count == 6, fields[1].elementsEqual("r-xp".utf8), fields[5].contains(UInt8(ascii: "/")) else {
      continue
    }
    let ends = fields[0].split(separator: UInt8(ascii: "-")).map {
      UInt(String(decoding: $0, as: UTF8.self), radix: 16)
    }
    guard ends.count == 2, let start = ends[0], let end = ends[1] else { continue }
    _ = madvise(UnsafeMutableRawPointer(bitPattern: start), Int(end - start), MADV_DONTNEED)
  }
}
