import Dagrun
import Foundation

/// Random cron expressions, zones and moments. The same seed gives the same ones.
struct CronQuestions {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  struct Question: Hashable {
    var expression: String
    var zone: String
    /// Seconds since 1970.
    var moment: Int64
    var gap: Schedule.Gap
    var fold: Schedule.Fold

    var line: String { "\(expression)\t\(zone)\t\(moment)\t\(gap)\t\(fold)\n" }
  }

  /// All zones of this system that Foundation knows as well.
  static let zones = TimeZone.knownTimeZoneIdentifiers.sorted().filter { TimeZone(identifier: $0) != nil }

  mutating func next() -> Question {
    let zone = pick(Self.zones)
    return Question(
      expression: expression(), zone: zone, moment: moment(in: zone),
      gap: chance(1, in: 3) ? .skip : .shift, fold: pick([.second, .second, .second, .first, .both]))
  }

  /// Half of them within a day of a change of the clock: that is where schedules go wrong.
  mutating func moment(in zone: String) -> Int64 {
    // 2000 to 2037
    let moment = number(946_684_800...2_145_916_800)
    guard chance(1, in: 2), let zone = TimeZone(identifier: zone),
      let change = ZoneOffsets(zone).change(after: Int64(moment), notAfter: Int64(moment) + 400 * 86_400)
    else { return Int64(moment) }
    let near = change.at + Int64(number(-7200...7200)) + (chance(1, in: 2) ? Int64(number(-90_000...20_000)) : 0)
    return chance(1, in: 4) ? near / 900 * 900 : near
  }

  mutating func expression() -> String {
    var fields = [
      chance(1, in: 12) ? "*" : field(0...59), chance(1, in: 4) ? "*" : field(0...23),
      chance(1, in: 3) ? "*" : daysOfMonth(), chance(2, in: 3) ? "*" : field(1...12, names: Self.months),
      chance(1, in: 3) ? "*" : daysOfWeek(),
    ]
    if chance(1, in: 10) { fields.append(field(0...59)) }
    if chance(1, in: 300) { fields.append("*") }
    var text = fields.joined(separator: " ")
    if chance(1, in: 25) { text = misspelt(text) }
    return text
  }

  private mutating func misspelt(_ text: String) -> String {
    var characters = Array(text)
    characters[number(0...(characters.count - 1))] = pick(Array("0123456789*/-,#LWR?lwx "))
    return String(characters)
  }

  private mutating func field(_ range: ClosedRange<Int>, names: [String] = []) -> String {
    list { $0.item(range, names: names) }
  }

  private mutating func list(_ item: (inout CronQuestions) -> String) -> String {
    (0..<pick([1, 1, 1, 1, 2, 3])).map { _ in item(&self) }.joined(separator: ",")
  }

  private mutating func value(_ range: ClosedRange<Int>, names: [String]) -> String {
    let number = number(range)
    if !names.isEmpty, chance(1, in: 3) {
      let name = names[(number - range.lowerBound) % names.count]
      return chance(1, in: 2) ? name : name.uppercased()
    }
    return chance(1, in: 12) && number < 10 ? "0\(number)" : "\(number)"
  }

  private mutating func item(_ range: ClosedRange<Int>, names: [String] = []) -> String {
    let step = chance(1, in: 8) ? number(1...70) : number(1...(range.count / 2))
    switch number(0...11) {
    case 0: return "*"
    case 1: return "*/\(step)"
    case 2: return "\(value(range, names: names))/\(step)"
    case 3: return "\(value(range, names: names))-\(value(range, names: names))"
    case 4: return "\(value(range, names: names))-\(value(range, names: names))/\(step)"
    case 5: return "\(range.lowerBound)-\(range.upperBound)"
    default: return value(range, names: names)
    }
  }

  private mutating func daysOfMonth() -> String {
    switch number(0...11) {
    case 0: "L"
    case 1: "\(number(1...31))W"
    case 2: "W\(number(1...31))"
    case 3: "?"
    case 4: "*/1"
    case 5: "\(number(1...31)),L"
    case 6: "\(number(1...31))-L/\(number(1...9))"
    default: field(1...31)
    }
  }

  private mutating func daysOfWeek() -> String {
    let names = Self.days
    switch number(0...11) {
    case 0: return list { "\($0.value(0...7, names: names))#\($0.number(1...5))" }
    case 1: return list { "L\($0.number(0...7))" }
    case 2: return "\(pick(names))-\(pick(names))#\(number(1...5))"
    case 3: return "?"
    case 4: return pick(["0-6", "1-7", "*/1", "sun-sat", "0-7"])
    default: return field(0...7, names: names)
    }
  }

  private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
  private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

  // MARK: Chance

  private mutating func pick<Value>(_ values: [Value]) -> Value { values[number(0...(values.count - 1))] }

  private mutating func chance(_ count: Int, in all: Int) -> Bool { number(1...all) <= count }

  private mutating func number(_ range: ClosedRange<Int>) -> Int {
    // SplitMix64
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return range.lowerBound + Int((bits ^ bits >> 31) % UInt64(range.count))
  }
}
