import Dagrun
import Foundation
import Model

/// When a failed try is followed by the next one. Airflow's formula (`TaskInstance.next_retry_datetime`):
///
///     b    = max(1, ceil(delay * multiplier^(try - 1)))      seconds
///     wait = b + hash("dag#task#date#try") mod b             at most 24 h, and at most maxRetryDelay
///
/// so the wait lies in [b, 2b), and is the same each time it is computed. `hash` is FNV-1a, 64 bits, of the text's
/// UTF-8, where Airflow takes SHA-1; `date` is the logical date in ISO 8601, or the run's id when it has none.
///
/// Without a multiplier, and with one of 0 or 1, the delay is constant: it has no jitter, and `maxRetryDelay` does not
/// count. A multiplier below 1 makes waits shorter from try to try.
struct RetryPolicy {
  static let longestWaitSeconds = 86_400.0

  var delaySeconds: Double
  var multiplier: Double?
  /// nil or 0: none.
  var maximumSeconds: Double?

  init(_ task: TaskDescription) {
    delaySeconds = NumberBound.retryDelay.clamp(task.retryDelaySeconds)
    multiplier = task.retryBackoffMultiplier.map(NumberBound.retryBackoff.clamp)
    maximumSeconds = task.maxRetryDelaySeconds.map(NumberBound.maxRetryDelay.clamp)
  }

  /// Seconds from the end of try `tryNumber` (from 1) to the next.
  func waitSeconds(
    dagID: String, taskID: String, mapIndex: Int32 = TaskInstanceKey.notMapped, date: String, tryNumber: Int
  ) -> Double {
    guard let multiplier, multiplier > 0, multiplier != 1 else { return delaySeconds }
    let base = (delaySeconds * pow(multiplier, Double(max(0, tryNumber - 1)))).rounded(.up)
    // Past the longest wait the jitter would be cut off anyway.
    let bounded = UInt64(saturating: min(max(1, base), Self.longestWaitSeconds))
    // Airflow has all instances of a mapped task wait as long.
    let instance = mapIndex == TaskInstanceKey.notMapped ? "" : "#\(mapIndex)"
    let hash = StableHash.fnv1a("\(dagID)#\(taskID)#\(date)#\(tryNumber)\(instance)")
    let wait = min(Double(bounded + hash % bounded), Self.longestWaitSeconds)
    guard let maximumSeconds, maximumSeconds > 0 else { return wait }
    return min(wait, maximumSeconds)
  }
}

/// The same on every machine and in every process, unlike `Hasher`.
enum StableHash {
  /// FNV-1a, 64 bits. http://www.isthe.com/chongo/tech/comp/fnv/
  static func fnv1a(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return hash
  }
}
