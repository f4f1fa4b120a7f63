extension Duration {
  public static func minutes(_ minutes: Int) -> Duration { .seconds(minutes * 60) }
  public static func minutes(_ minutes: Double) -> Duration { .seconds(minutes * 60) }
  public static func hours(_ hours: Int) -> Duration { .seconds(hours * 3_600) }
  public static func hours(_ hours: Double) -> Duration { .seconds(hours * 3_600) }
  /// Days of 24 hours.
  public static func days(_ days: Int) -> Duration { .seconds(days * 86_400) }
  public static func days(_ days: Double) -> Duration { .seconds(days * 86_400) }

  package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
