package import Clash
package import Dagrun
internal import Model

extension JobTimings {
  /// Waits are as short as a machine under load allows.
  package static var quick: JobTimings {
    var timings = JobTimings()
    timings.firstLookSeconds = 0.01
    timings.longestLookSeconds = 0.05
    timings.graceSeconds = 0.05
    timings.logGraceSeconds = 0.05
    timings.firstBackoffSeconds = 0.01
    timings.longestBackoffSeconds = 0.05
    // What is only slow is not left behind.
    timings.removalLimitSeconds = 60
    timings.firstLadderPauseSeconds = 0.01
    timings.longestLadderPauseSeconds = 0.05
    timings.patienceSeconds = 30
    timings.silenceSeconds = 0.2
    return timings
  }
}

package func jobRequest(
  _ name: String = "train", home: String = "home1", detached: Bool = false,
  _ change: (inout JobSpec) -> Void = { _ in }
) -> JobRequest {
  var spec = JobSpec(
    config: JobConfig(project: "my-project", image: "busybox"), command: .arguments(["echo", "hello"]))
  spec.config.zones = ["europe-west1-b", "europe-west1-c"]
  change(&spec)
  var request = JobRequest(name: name, spec: spec, origin: JobOrigin(homeID: home))
  request.isDetached = detached
  return request
}
