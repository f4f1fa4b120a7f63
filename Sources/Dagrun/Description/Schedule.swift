/// When a DAG's runs are due.
///
///     schedule: .daily
///     schedule: .cron("0 3 * * *", timeZone: "Europe/Berlin")
///     schedule: .cron("30 2 * * *", timeZone: "Europe/Berlin", gap: .skip, fold: .first)
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

  /// What becomes of a tick that the clock leaps over, when daylight saving time begins.
  public enum Gap: String, Codable, Hashable, Sendable {
    /// There is no run for it.
    case skip
    /// It comes later by as much as the clock leaps: 02:30 is 03:30. As in Airflow.
    case shift
  }

  /// Which of two moments is the tick when the clock shows its time twice, at the end of daylight saving time.
  public enum Fold: String, Codable, Hashable, Sendable {
    case first
    /// As in Airflow.
    case second
    /// A run for each.
    case both
  }

  package var kind: Kind
  // nil is what Airflow does, so that a description without them keeps its meaning and its text.
  private var otherGap: Gap?
  private var otherFold: Fold?

  package var gap: Gap { otherGap ?? .shift }
  package var fold: Fold { otherFold ?? .second }

  package init(_ kind: Kind, gap: Gap = .shift, fold: Fold = .second) {
    self.kind = kind
    otherGap = gap == .shift ? nil : gap
    otherFold = fold == .second ? nil : fold
  }

  private enum CodingKeys: String, CodingKey {
    case kind
    case otherGap = "gap"
    case otherFold = "fold"
  }

  /// The zone whose wall clock the schedule goes by. nil: it has none, which is UTC.
  package var timeZone: String? {
    switch kind {
    case .none, .once, .continuous: nil
    case .cron(_, let timeZone), .dataInterval(_, let timeZone): timeZone
    }
  }

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

  /// Runs at each tick of a cron expression: five fields (minute, hour, day of month, month, day of week), six with the
  /// seconds last, or one of Airflow's presets such as `@daily`.
  ///
  /// An expression that ticks in every hour does so also when the clocks change: `gap` and `fold` are about the others.
  ///
  /// - Parameters:
  ///   - timeZone: an IANA name such as `Europe/Berlin`.
  ///   - gap: what becomes of a tick whose time of day does not exist, because the clock leaps over it.
  ///   - fold: which moment is the tick when its time of day comes twice.
  public static func cron(
    _ expression: String, timeZone: String = "UTC", gap: Gap = .shift, fold: Fold = .second
  ) -> Schedule {
    Schedule(.cron(expression: expression, timeZone: timeZone), gap: gap, fold: fold)
  }

  /// Runs when an interval between two ticks has ended; the interval's start is the logical date. The parameters are
  /// those of `cron`.
  public static func dataInterval(
    _ expression: String, timeZone: String = "UTC", gap: Gap = .shift, fold: Fold = .second
  ) -> Schedule {
    Schedule(.dataInterval(expression: expression, timeZone: timeZone), gap: gap, fold: fold)
  }
}
