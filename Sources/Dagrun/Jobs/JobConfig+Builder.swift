extension JobConfig {
  /// Takes Spot capacity, which costs less and may be preempted.
  public func spot() -> JobConfig {
    var copy = self
    copy.provisioning = .spot
    return copy
  }

  /// The zones to try, in this order.
  public func zones(_ zones: String...) -> JobConfig {
    var copy = self
    copy.zones = zones
    return copy
  }
}
