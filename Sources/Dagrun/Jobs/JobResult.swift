/// How a job on a VM went: `ComputeEngineJobOperator.output`, and `result` of `dagrun job run -o json`.
public struct JobResult: Codable, Hashable, Sendable {
  /// Of the command. Of a task that succeeded it is 0.
  public var exitStatus: Int
  /// Seconds from the container's start to its end, on the VM that came to an end.
  public var durationSeconds: Double
  /// Seconds from the request to the result, waiting for capacity and lost VMs included.
  public var totalSeconds: Double
  /// Where the job ran at last, such as `europe-west1-b`.
  public var zone: String
  /// Of the VM on which it ran at last.
  public var machineType: String
  /// Whether that VM was Spot capacity.
  public var isSpot: Bool
  /// How often a VM was asked for; more than once after a preemption or a stock-out.
  public var attempts: Int
  /// VMs that were taken away before the job had ended.
  public var preemptions: Int
  /// Of all VMs, in the currency of the price table that was given (docs/jobs.md, "Costs"), an estimate; nil without a
  /// table, and when it lacks a price.
  public var cost: Double?
  /// How `cost` is meant: nil to the second of each VM; `at_most` where Google has not told when one began or ended,
  /// `at_least` where one could not be removed.
  public var costBound: String?

  private enum CodingKeys: String, CodingKey {
    case exitStatus = "exit_status"
    case durationSeconds = "duration_seconds"
    case totalSeconds = "total_seconds"
    case zone
    case machineType = "machine_type"
    case isSpot = "spot"
    case attempts, preemptions, cost
    case costBound = "cost_bound"
  }

  package init(
    exitStatus: Int, durationSeconds: Double, totalSeconds: Double, zone: String, machineType: String, isSpot: Bool,
    attempts: Int, preemptions: Int, cost: Double? = nil, costBound: String? = nil
  ) {
    self.exitStatus = exitStatus
    self.durationSeconds = durationSeconds
    self.totalSeconds = totalSeconds
    self.zone = zone
    self.machineType = machineType
    self.isSpot = isSpot
    self.attempts = attempts
    self.preemptions = preemptions
    self.cost = cost
    self.costBound = costBound
  }

  /// From the container's start to its end.
  public var duration: Duration { .seconds(durationSeconds) }
}
