extension Timestamp {
  /// Reads an ISO 8601 date, or date and time: `2026-01-31`, `2026-01-31T03:00`, `2026-01-31 03:00:00.25+01:00`,
  /// `20260131T030000Z`. Without a zone it is UTC, as in Airflow's default. nil when it is anything else, or no such
  /// day, or lies outside of the years 0001 to 9999; `DateProblem` says which.
  package init?(iso8601 text: String) {
    var reader = DigitReader(text)
    guard let year = reader.number(digits: 4) else { return nil }
    let hasDashes = reader.skip("-")
    guard let month = reader.number(digits: 2), (1...12).contains(month), !hasDashes || reader.skip("-"),
      let day = reader.number(digits: 2), year >= 1, (1...CivilTime.daysInMonth(month, year: year)).contains(day)
    else { return nil }
    var civil = CivilTime(year: year, month: month, day: day)
    var offsetMinutes = 0
    if !reader.isAtEnd {
      guard reader.skip("T") || reader.skip("t") || reader.skip(" "), reader.time(into: &civil),
        let offset = reader.offsetMinutes(), reader.isAtEnd
      else { return nil }
      offsetMinutes = offset
    }
    // Two digits of hours: far from an overflow.
    let moment = civil.timestamp.microseconds - Int64(offsetMinutes) * 60_000_000
    guard (Timestamp.lowest.microseconds...Timestamp.highest.microseconds).contains(moment) else { return nil }
    self.init(microseconds: moment)
  }

  /// As Airflow writes it: `2026-01-31T03:00:00+00:00`, with six decimals only where they are not all zero.
  package var iso8601: String {
    let civil = CivilTime(self)
    return String(unsafeUninitializedCapacity: 40) { buffer in
      var writer = DigitWriter(buffer)
      writer.date(civil, separator: true)
      writer.byte("T")
      writer.time(civil, separator: true)
      if civil.microsecond != 0 {
        writer.byte(".")
        writer.number(civil.microsecond, digits: 6)
      }
      for byte in "+00:00".utf8 { writer.byte(byte) }
      return writer.count
    }
  }

  /// The date in UTC: `2026-01-31`, Airflow's `ds`.
  package var isoDate: String { formatted { $0.date($1, separator: true) } }

  /// `20260131`, Airflow's `ds_nodash`.
  package var compactDate: String { formatted { $0.date($1, separator: false) } }

  /// `20260131T030000`, Airflow's `ts_nodash`.
  package var compactDateTime: String {
    formatted {
      $0.date($1, separator: false)
      $0.byte("T")
      $0.time($1, separator: false)
    }
  }

  private func formatted(_ body: (inout DigitWriter, CivilTime) -> Void) -> String {
    let civil = CivilTime(self)
    return String(unsafeUninitializedCapacity: 40) { buffer in
      var writer = DigitWriter(buffer)
      body(&writer, civil)
      return writer.count
    }
  }
}

private struct DigitReader {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func digit() -> Int? {
    guard let first = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
    rest.removeFirst()
    return Int(first - UInt8(ascii: "0"))
  }

  mutating func number(digits: Int) -> Int? {
    var number = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      number = number * 10 + digit
    }
    return number
  }

  /// Hours and minutes, then seconds and a fraction when there are any.
  mutating func time(into civil: inout CivilTime) -> Bool {
    guard let hour = number(digits: 2), hour < 24 else { return false }
    let hasColons = skip(":")
    guard let minute = number(digits: 2), minute < 60 else { return false }
    civil.hour = hour
    civil.minute = minute
    let secondsFollow = hasColons ? skip(":") : rest.first.map { (48...57).contains($0) } ?? false
    guard secondsFollow else { return true }
    guard let second = number(digits: 2), second < 60 else { return false }
    civil.second = second
    guard skip(".") || skip(",") else { return true }
    guard var digit = digit() else { return false }
    var scale = 100_000
    while true {
      civil.microsecond += digit * scale
      scale /= 10
      guard let next = self.digit() else { return true }
      digit = next
    }
  }

  /// 0 when there is no zone; nil when what follows is none.
  mutating func offsetMinutes() -> Int? {
    if isAtEnd || skip("Z") || skip("z") { return 0 }
    let sign: Int
    if skip("+") {
      sign = 1
    } else if skip("-") {
      sign = -1
    } else {
      return nil
    }
    guard let hours = number(digits: 2), hours < 24 else { return nil }
    if isAtEnd { return sign * hours * 60 }
    _ = skip(":")
    guard let minutes = number(digits: 2), minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes)
  }
}

private struct DigitWriter {
  private let buffer: UnsafeMutableBufferPointer<UInt8>
  private(set) var count = 0

  init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

  mutating func byte(_ byte: UInt8) {
    buffer[count] = byte
    count += 1
  }

  mutating func byte(_ character: Unicode.Scalar) { byte(UInt8(ascii: character)) }

  mutating func number(_ number: Int, digits: Int) {
    var rest = abs(number)
    for index in (0..<digits).reversed() {
      buffer[count + index] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
    count += digits
  }

  mutating func date(_ civil: CivilTime, separator: Bool) {
    number(civil.year, digits: 4)
    if separator { byte("-") }
    number(civil.month, digits: 2)
    if separator { byte("-") }
    number(civil.day, digits: 2)
  }

  mutating func time(_ civil: CivilTime, separator: Bool) {
    number(civil.hour, digits: 2)
    if separator { byte(":") }
    number(civil.minute, digits: 2)
    if separator { byte(":") }
    number(civil.second, digits: 2)
  }
}
