import Control
import DagBag
import Dagrun
import Foundation
import Model
import Presentation
import Processes
import Storage

/// Looks at everything that dagrun needs, one thing after the other. Changes nothing, except that it makes the home.
struct Doctor {
  let workspace: Workspace

  private var home: Home { workspace.home }

  func examine() async -> [Finding] {
    let homeFinding = examineHome()
    var findings = [homeFinding]
    if homeFinding.verdict != .bad {
      findings.append(examineDisk())
      findings.append(examineDatabase())
      // What was built elsewhere needs neither.
      if !Workspace.isBundle { findings += [examineCompiler(), examineLibrary()] }
    }
    findings.append(await examineDAGs())
    findings.append(await examineScheduler())
    if homeFinding.verdict != .bad { findings += examineJobs() }
    findings.append(examineClock())
    findings.append(await examineMachines())
    return findings
  }

  private func examineHome() -> Finding {
    let subject = "home"
    do {
      try home.make()
    } catch {
      let userError = UserError(explaining: error)
      return .bad(subject, userError.message, userError.hint)
    }
    // Tried, not asked: root may write anywhere, except on a file system that is mounted read-only.
    let probe = home.path + "/.doctor-\(getpid())"
    let descriptor = open(probe, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      return .bad(
        subject, "\(home.path): cannot write there: \(String(cString: strerror(errno)))",
        "make it writable for this user, or name another home with --home or DAGRUN_HOME")
    }
    close(descriptor)
    unlink(probe)
    var status = stat()
    guard stat(home.path, &status) == 0 else { return .bad(subject, "\(home.path) is gone", nil) }
    if status.st_uid != geteuid() {
      return .warning(
        subject, "\(home.path) belongs to another user (uid \(status.st_uid))",
        "run dagrun as that user, or use a home of your own")
    }
    if status.st_mode & 0o022 != 0 {
      return .warning(
        subject, "others may write to \(home.path)", "they can run commands as you: chmod go-w '\(home.path)'")
    }
    return .good(subject, home.path)
  }

  private func examineDisk() -> Finding {
    var status = statvfs()
    guard statvfs(home.path, &status) == 0 else {
      return .bad("disk", "cannot look at the disk of \(home.path): \(String(cString: strerror(errno)))", nil)
    }
    let free = Double(status.f_bavail) * Double(status.f_frsize)
    let text = "\(Bytes.text(free)) free"
    if free < 100 * 1_048_576 {
      return .bad(
        "disk", text, "free some space: the database and the logs need it, and a full disk stops the scheduler")
    }
    if status.f_favail < 1000 && status.f_files > 0 {
      return .bad("disk", "only \(status.f_favail) files can be made", "remove some files, such as old logs")
    }
    return free < 1_073_741_824 ? .warning("disk", text, "logs and compiled files will fill it") : .good("disk", text)
  }

  private func examineDatabase() -> Finding {
    do {
      guard let reader = try workspace.reader() else {
        return .good("database", "none yet: the first run makes it")
      }
      let damage = try reader.check()
      let info = try reader.info()
      guard damage.isEmpty else {
        return .bad(
          "database", "\(info.path) is damaged: \(damage[0])", "stop the scheduler and put a backup in its place")
      }
      return .good(
        "database",
        "\(info.counts.runs) runs, \(Bytes.text(Double(info.sizeBytes))), schema \(info.schemaVersion), SQLite \(info.sqliteVersion)"
      )
    } catch {
      let userError = UserError(explaining: error)
      return .bad("database", userError.message, userError.hint)
    }
  }

  private func examineCompiler() -> Finding {
    do {
      return .good("compiler", try workspace.dagBag.compilerVersion())
    } catch {
      return .warning("compiler", "\(error)", "only what 'dagrun build' has compiled elsewhere can run here")
    }
  }

  private func examineLibrary() -> Finding {
    do {
      return .good("library", "Dagrun.swiftmodule \(try workspace.dagBag.libraryHash().prefix(12))")
    } catch {
      return .bad("library", "\(error)", "DAG files cannot be compiled without it")
    }
  }

  private func examineDAGs() async -> Finding {
    do {
      let files = try await workspace.dagFiles()
      let text = "\(files.dags.count) in \(files.folder)"
      guard files.importErrors.isEmpty else {
        return .warning(
          "DAGs", text + ", \(files.importErrors.count) import errors", "'dagrun dags list-import-errors' shows them")
      }
      return .good("DAGs", text)
    } catch {
      let userError = UserError(explaining: error)
      // The usual hint is to ask the doctor.
      return .bad(
        "DAGs", userError.message, error is DagBagError ? "no DAG can run until that is mended" : userError.hint)
    }
  }

  private func examineScheduler() async -> Finding {
    do {
      guard let control = SocketControl(home) else {
        return .good("scheduler", "none runs: 'dagrun trigger' runs single DAGs, 'dagrun scheduler' all that are due")
      }
      guard let answer = try await answer(of: control) else {
        let holder = SchedulerLock.holder(of: home).map { "\($0.pid)" } ?? "PID"
        return .bad(
          "scheduler", "process \(holder) does not answer",
          "it may be stopped or hang: 'kill -CONT \(holder)', or 'kill -KILL \(holder)' and start 'dagrun scheduler'")
      }
      guard case .status(let status) = answer else {
        return .bad("scheduler", "it gave an unexpected answer", "restart it: it may be of another version")
      }
      let text =
        "process \(status.pid), version \(status.version), \(status.unfinishedRuns) unfinished runs, "
        + "\(status.runningTasks) running tasks"
      guard status.version == Version.text else {
        return .warning("scheduler", text, "this is dagrun \(Version.text): restart the scheduler")
      }
      return .good("scheduler", text)
    } catch {
      let userError = UserError(explaining: error)
      return .bad("scheduler", userError.message, userError.hint ?? "stop that process and start 'dagrun scheduler'")
    }
  }

  /// nil when none comes within some seconds.
  private func answer(of control: SocketControl) async throws -> ControlReply? {
    let (answers, continuation) = AsyncStream.makeStream(of: Result<ControlReply, any Error>?.self)
    Task {
      do {
        continuation.yield(.success(try await control.send(.ping)))
      } catch {
        continuation.yield(.failure(error))
      }
    }
    let limit = Task {
      try await Task.sleep(for: .seconds(Quiet.seconds))
      continuation.yield(nil)
    }
    defer { limit.cancel() }
    return try await answers.first { _ in true }??.get()
  }

  private func examineJobs() -> [Finding] {
    do {
      let jobs = try workspace.reader()?.listJobs(JobFilter(isFinished: false)) ?? []
      let undriven = UndrivenJobs(home, command: workspace.command)
      let findings = jobs.filter(undriven.isUndriven).map { job in
        Finding.warning(
          "job \(job.name)", "nobody drives it, and it may cost money", undriven.advice(on: job))
      }
      return findings.isEmpty ? [.good("jobs", "\(jobs.count) under way")] : findings
    } catch {
      // The finding on the database says it.
      return []
    }
  }

  /// A clock that is wrong by years makes runs for wrong dates; one that nobody sets may be.
  private func examineClock() -> Finding {
    let now = Timestamp(Date())
    guard now > Timestamp(microseconds: 1_735_689_600_000_000) else {
      return .bad("clock", "it says \(now.iso8601)", "set it: schedules follow it")
    }
    if clockIsSynchronized { return .good("clock", now.iso8601) }
    return .warning(
      "clock", "\(now.iso8601); nothing on this machine keeps it right", "run systemd-timesyncd or chrony")
  }
}

enum Bytes {
  /// `512 B`, `1.5 GiB`
  static func text(_ count: Double) -> String {
    var value = count
    for unit in ["B", "KiB", "MiB", "GiB"] {
      if value < 1024 { return "\(JSONText.number((value * 10).rounded() / 10)) \(unit)" }
      value /= 1024
    }
    return "\(JSONText.number((value * 10).rounded() / 10)) TiB"
  }
}
