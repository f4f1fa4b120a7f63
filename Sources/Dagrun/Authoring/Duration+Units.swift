extension Duration {
  public static func minutes(_ minutes: Int) -> Duration { .seconds(minutes.multipliedSaturating(by: 60)) }
  public static func minutes(_ minutes: Double) -> Duration { nearest(seconds: minutes * 60) }
  public static func hours(_ hours: Int) -> Duration { .seconds(hours.multipliedSaturating(by: 3_600)) }
  public static func hours(_ hours: Double) -> Duration { nearest(seconds: hours * 3_600) }
  /// Days of 24 hours.
  public static func days(_ days: Int) -> Duration { .seconds(days.multipliedSaturating(by: 86_400)) }
  public static func days(_ days: Double) -> Duration { nearest(seconds: days * 86_400) }

  /// In place of the standard library's, which stop the process at NaN and infinity: what is not a length of time is
  /// refused where it is used, with its line.
  public static func seconds(_ seconds: Double) -> Duration { nearest(seconds: seconds) }
  public static func milliseconds(_ milliseconds: Double) -> Duration { nearest(seconds: milliseconds / 1e3) }
  public static func microseconds(_ microseconds: Double) -> Duration { nearest(seconds: microseconds / 1e6) }
  public static func nanoseconds(_ nanoseconds: Double) -> Duration { nearest(seconds: nanoseconds / 1e9) }

  /// NaN is longer than everything that is allowed.
  private static func nearest(seconds: Double) -> Duration {
    let whole = seconds.rounded(.down)
    guard let exact = Int64(exactly: whole) else { return .seconds(seconds < 0 ? Int64.min : Int64.max) }
    return .seconds(exact) + .nanoseconds(Int64(saturating: (seconds - whole) * 1e9))
  }

  package var inSeconds: Double {
    // `components` stops the process beyond.
    if self >= .seconds(Int64.max) { return Double(Int64.max) }
    if self <= .seconds(Int64.min) { return Double(Int64.min) }
    return Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
