import Foundation

/// Random input, the same for the same seed. DAGRUN_FUZZ_SEED makes it another one, DAGRUN_FUZZ_ROUNDS more of it.
package struct FuzzSource: RandomNumberGenerator {
  package let seed: UInt64
  private var state: UInt64

  /// - Parameter name: of the test, which prints the seed with it.
  package init(_ name: String) {
    let environment = ProcessInfo.processInfo.environment
    seed = environment["DAGRUN_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
    state = seed
    for byte in name.utf8 { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    print("fuzz \(name): DAGRUN_FUZZ_SEED=\(seed)")
  }

  /// How many rounds to run: `usual` where nothing else was asked for.
  package static func rounds(usual: Int) -> Int {
    ProcessInfo.processInfo.environment["DAGRUN_FUZZ_ROUNDS"].flatMap { Int($0) } ?? usual
  }

  /// SplitMix64.
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  /// Changes, cuts, doubles or inserts a few bytes.
  package mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &self) {
      let place = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &self)
      switch Int.random(in: 0..<6, using: &self) {
      case 0 where !bytes.isEmpty: bytes[place] = UInt8.random(in: .min ... .max, using: &self)
      case 1 where !bytes.isEmpty: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0...9, using: &self)))
      case 3: bytes.insert(contentsOf: (0..<8).map { _ in UInt8.random(in: .min ... .max, using: &self) }, at: place)
      case 4: bytes.replaceSubrange(place..<min(bytes.count, place + 8), with: [UInt8](repeating: 0xff, count: 8))
      default:
        let extreme = withUnsafeBytes(of: Self.integers.randomElement(using: &self)!.littleEndian) { Array($0) }
        bytes.replaceSubrange(place..<min(bytes.count, place + 8), with: extreme)
      }
    }
    return bytes
  }

  /// What whole numbers go wrong at.
  package static let integers: [Int] =
    [0, 1, -1, 2, .min, .min + 1, .max, .max - 1, 1 << 31, 1 << 32, 1 << 53, -(1 << 53), 1 << 62]
    + [Int(Int32.min), Int(Int32.max), Int(UInt32.max)]

  /// What numbers go wrong at.
  package static let doubles: [Double] =
    integers.map { Double($0) } + [
      1e19, -1e19, 1e300, -1e300, 0.5, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
      -.greatestFiniteMagnitude, .infinity, -.infinity, .nan,
    ]
}
