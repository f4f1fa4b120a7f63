import Basics
import Foundation
import Testing

struct SHA256Tests {
  // NIST's examples: https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func `a text has its digest`(text: String, hex: String) {
    #expect(SHA256.hex(of: Data(text.utf8)) == hex)
    #expect(SHA256.digest(of: Array(text.utf8)).map { String(format: "%02x", $0) }.joined() == hex)
  }
}

struct BackoffTests {
  @Test(arguments: [(-1, 0.5), (0, 0.5), (1, 1), (4, 8), (5, 10), (.max, 10), (.min, 0.5)])
  func `waits double, up to the longest`(doublings: Int, seconds: Double) {
    #expect(Backoff(firstSeconds: 0.5, longestSeconds: 10).seconds(doublings: doublings) == seconds)
  }

  @Test func `without a longest it stays finite`() {
    #expect(Backoff(firstSeconds: 1, longestSeconds: .infinity).seconds(doublings: 5000).isFinite)
  }
}

struct WholeCharactersTests {
  @Test func `what is cut anywhere comes whole in the end, and nothing that is whole waits`() {
    let text = "aä€🚆é"
    for character in text {
      let bytes = Array("x\(character)".utf8)
      for length in 1...bytes.count {
        let isWhole = length == 1 || length == bytes.count
        #expect(WholeCharacters.count(ofHead: bytes.prefix(length)) == (isWhole ? length : 1), "\(character) \(length)")
      }
    }
  }

  @Test(arguments: [[0x80], [0x80, 0x80, 0x80, 0x80], [0xFF], [0x61, 0xF8], []] as [[UInt8]])
  func `what is not UTF-8 is not waited for`(bytes: [UInt8]) {
    #expect(WholeCharacters.count(ofHead: bytes) == bytes.count)
  }

  @Test func `a tail begins with its first whole character`() {
    let bytes = Array("äöü".utf8)
    #expect(WholeCharacters.text(ofTail: bytes) == "äöü")
    #expect(WholeCharacters.text(ofTail: Array(bytes.dropFirst())) == "öü")
    #expect(WholeCharacters.text(ofTail: Array("🚆x".utf8.dropFirst())) == "x")
    #expect(WholeCharacters.text(ofTail: []) == "")
  }
}
