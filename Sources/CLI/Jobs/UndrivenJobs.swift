import Clash
import Control
import Foundation
import Model
import Storage

/// Jobs of a home that are under way and that no process drives: when their machine is preempted nothing replaces it,
/// and when their program ends nothing removes what they have. A detached job is meant to be on its own.
struct UndrivenJobs {
  private let home: Home
  private let hasScheduler: Bool
  /// How commands are typed that are meant for this home.
  private let command: (String) -> String

  init(_ home: Home, command: @escaping (String) -> String) {
    self.home = home
    self.command = command
    hasScheduler = SchedulerLock.holder(of: home)?.isAlive == true && SocketControl(home) != nil
  }

  func isUndriven(_ job: JobRecord) -> Bool {
    guard !job.isFinished, !job.isDetached else { return false }
    if job.task != nil, hasScheduler { return false }
    return !JobLock.isHeld(job: job.name, folder: home.jobsPath)
  }

  /// Of a detached job that goes its own way what is stored is what was seen of it last.
  func state(of job: JobRecord) -> String {
    guard job.isDetached, !job.isFinished, !JobLock.isHeld(job: job.name, folder: home.jobsPath) else {
      return job.phase
    }
    return "detached (nobody looks)"
  }

  func words(of job: JobRecord) -> String {
    "job \(job.name): nobody drives it, and it may cost money; \(advice(on: job))"
  }

  /// What to type.
  func advice(on job: JobRecord) -> String {
    let next = job.task == nil ? "job attach \(job.name)" : "scheduler"
    return "continue with it: \(command(next)); end it: \(command("job cancel \(job.name)"))"
  }
}
