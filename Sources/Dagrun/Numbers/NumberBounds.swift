// The table of bounds. Times are long enough for everything that somebody waits for, and short enough that no sum of
// them overflows; counts are far above what one machine can do.

extension NumberBound {
  private static func time(_ place: String, isAboveZero: Bool = true) -> NumberBound {
    NumberBound(place, 0, longestSeconds, unit: .seconds, isAboveLowest: isAboveZero)
  }

  private static func count(_ place: String, from lowest: Double = 1, to highest: Double = 1_000_000) -> NumberBound {
    NumberBound(place, lowest, highest)
  }

  // MARK: A DAG file

  package static let maxActiveRuns = count("maxActiveRuns")
  package static let maxActiveTasks = count("maxActiveTasks")
  package static let dagrunTimeout = time("dagrunTimeout")
  package static let retries = count("retries", from: 0)
  package static let retryDelay = time("retryDelay", isAboveZero: false)
  package static let retryBackoff = count("retryBackoff", from: 0)
  package static let maxRetryDelay = time("maxRetryDelay", isAboveZero: false)
  package static let executionTimeout = time("executionTimeout")
  package static let poolSlots = count("poolSlots")
  /// Airflow's: 32 bits.
  package static let priority = count("priority", from: -2_147_483_648, to: 2_147_483_647)
  package static let maxActivePerDAG = count("maxActive(perDAG:)")
  package static let maxActivePerRun = count("maxActive(perRun:)")
  /// What a parameter allows, or is by default: a number that JSON can hold.
  package static let parameter = NumberBound("number", -.greatestFiniteMagnitude, .greatestFiniteMagnitude)
  package static let parameterLength = count("length", from: 0, to: 1_000_000_000)

  // MARK: A job's config and spec

  package static let acceleratorCount = count("accelerators", to: 128)
  /// Google's: https://cloud.google.com/compute/docs/disks
  package static let diskSize = NumberBound("disk size", 10, 65_536, unit: .gigabytes)
  /// Google's: https://cloud.google.com/compute/docs/instances/limit-vm-runtime
  package static let maxRunDuration = NumberBound("maxRunDuration", 30, 10_368_000, unit: .seconds)
  package static let maxAttempts = count("maxAttempts", to: 10_000)
  package static let jobTimeout = time("timeout")

  package static let inDAGFiles: [NumberBound] = [
    .maxActiveRuns, .maxActiveTasks, .dagrunTimeout, .retries, .retryDelay, .retryBackoff, .maxRetryDelay,
    .executionTimeout, .poolSlots, .priority, .maxActivePerDAG, .maxActivePerRun, .parameterLength, .acceleratorCount,
    .diskSize, .maxRunDuration, .maxAttempts, .jobTimeout,
  ]

  // MARK: A price table

  /// For an hour, or for a GB and a month.
  package static let price = NumberBound("price", 0, 1_000_000)

  // MARK: Options, and the environment variables that stand for them

  package static let parallelism = count("--parallelism", to: 100_000)
  package static let listLimit = count("--limit", to: 1_000_000_000)
  package static let poolSize = count("slots", from: -1, to: 1_000_000)
  package static let port = count("--port", from: 0, to: 65_535)
  package static let numExecutions = count("--num-executions", to: 1_000)
  package static let backfillRuns = maxActiveRuns.at("--max-active-runs")
  package static let tryNumber = count("--try", to: 2_147_483_647)
  package static let olderThan = time("--older-than", isAboveZero: false)
  package static let grace = time("--grace")

  package static let inOptions: [NumberBound] = [
    parallelism, listLimit, port, numExecutions, backfillRuns, tryNumber, olderThan, grace,
    diskSize.at("--disk-size"), maxRunDuration.at("--max-run-duration"), maxAttempts.at("--max-attempts"),
    jobTimeout.at("--timeout"), acceleratorCount.at("--accelerator"), poolSize,
  ]
}
