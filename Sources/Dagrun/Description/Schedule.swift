/// When a DAG's runs are due.
///
///     schedule: .daily
///     schedule: .cron("0 3 * * *", timeZone: "Europe/Berlin")
///     schedule: .dataInterval("0 3 * * *")
///
/// A plain cron expression is a *trigger* timetable, as in Airflow 3: the run is due at the tick, and the tick is its
/// logical date. `dataInterval` keeps Airflow 2's meaning: the run is due when the interval that began at its logical
/// date has ended.
public struct Schedule: Codable, Hashable, Sendable {
  package enum Kind: Codable, Hashable, Sendable {
    case none
    case once
    case continuous
    case cron(expression: String, timeZone: String)
    case dataInterval(expression: String, timeZone: String)
  }

  package var kind: Kind

  package init(_ kind: Kind) { self.kind = kind }

  /// Runs only when triggered.
  public static let none = Schedule(.none)
  /// One run, as soon as the start date has passed.
  public static let once = Schedule(.once)
  /// The next run as soon as the last one has ended.
  public static let continuous = Schedule(.continuous)
  public static let hourly = cron("0 * * * *")
  public static let daily = cron("0 0 * * *")
  public static let weekly = cron("0 0 * * 0")
  public static let monthly = cron("0 0 1 * *")
  public static let quarterly = cron("0 0 1 */3 *")
  public static let yearly = cron("0 0 1 1 *")

  /// Runs at each tick of a cron expression: five fields (minute, hour, day of month, month, day of week), or one of
  /// Airflow's presets such as `@daily`.
  ///
  /// - Parameter timeZone: an IANA name such as `Europe/Berlin`.
  public static func cron(_ expression: String, timeZone: String = "UTC") -> Schedule {
    Schedule(.cron(expression: expression, timeZone: timeZone))
  }

  /// Runs when an interval between two ticks has ended; the interval's start is the logical date.
  public static func dataInterval(_ expression: String, timeZone: String = "UTC") -> Schedule {
    Schedule(.dataInterval(expression: expression, timeZone: timeZone))
  }
}
