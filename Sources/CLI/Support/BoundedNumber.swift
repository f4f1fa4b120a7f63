import ArgumentParser
import Dagrun

/// Numbers of options, held to their bounds where they are read: for `@Option(transform:)`, so that what is wrong is
/// said with the option's name and with the bound.
enum BoundedNumber {
  static func whole(_ bound: NumberBound) -> @Sendable (String) throws -> Int {
    { text in
      if let number = Int(text) {
        guard let problem = bound.problem(number) else { return number }
        throw ValidationError(problem)
      }
      // Digits that no Int holds are a number all the same, and beyond the bound.
      guard let number = Double(text), !number.isNaN, number == number.rounded(), let problem = bound.problem(number)
      else { throw ValidationError("it is not a whole number; write \(bound.rule)") }
      throw ValidationError(problem)
    }
  }

  static func duration(_ bound: NumberBound) -> @Sendable (String) throws -> DurationOption {
    { text in
      guard let duration = DurationOption(argument: text) else {
        throw ValidationError("it is not a length of time; write 90, 90s, 30m, 1.5h or 2d")
      }
      guard let problem = bound.problem(duration.seconds) else { return duration }
      throw ValidationError(problem)
    }
  }
}

/// `90`, `90s`, `30m`, `1.5h`, `2d`.
struct DurationOption {
  var seconds: Double

  init?(argument text: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    let unit = text.last.flatMap { units[$0] }
    guard let number = Double(unit == nil ? text[...] : text.dropLast()), number >= 0 else { return nil }
    seconds = number * (unit ?? 1)
  }
}

/// `--max-run-duration`: a length of time, or `none`.
enum RunLimitOption {
  case after(DurationOption)
  case never

  init(argument text: String) throws {
    self = text == "none" ? .never : .after(try Self.duration(text))
  }

  private static let duration = BoundedNumber.duration(.maxRunDuration.at("--max-run-duration"))
}
