/// The program that a job's VM runs: bash, with curl, sed, awk, base64, docker, systemd and the coreutils beside it, for
/// Container-Optimized OS has no more. The parts lie in files of their own, in the order in which they are read.
package enum RunnerScript {
  package static let text = [begin, json, cloud, news, attend, prepare, storage, logging, container, result, end]
    .joined(separator: "\n")
}
