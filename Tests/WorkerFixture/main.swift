// A worker for tests: `WorkerFixture worker FOLDER PID`. What a Swift task does is decided by its id.
import Dagrun
import Foundation
import Workers

@Sendable func body(taskID: String) -> SwiftTaskBody? {
  switch taskID {
  case "noop": { _, _ in nil }
  case "greet": { context, _ in Data("\"hello from try \(context.tryNumber) of \(context.run.runID)\"".utf8) }
  case "echo_inputs":
    { _, inputs in Data("[\(inputs.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ","))]".utf8) }
  case "big": { _, _ in Data("\"\(String(repeating: "x", count: 3_000_000))\"".utf8) }
  case "print":
    { _, _ in
      print("a line of the task")
      return nil
    }
  // Closures that make scripts.
  case "make_script":
    { _, inputs in
      print("making it")
      let values = inputs.map { String(decoding: $0, as: UTF8.self) }
      return Data("echo \"made of \(values.joined(separator: " ")) in $PLACE\"; pwd >&2".utf8)
    }
  case "make_long_script": { _, _ in Data("echo started; sleep 1000".utf8) }
  case "throw": { _, _ in throw CocoaError(.fileNoSuchFile) }
  case "fail": { _, _ in throw TaskFailure("the input is wrong") }
  case "skip": { _, _ in throw TaskSkip("no data today") }
  case "trap":
    { _, _ in
      let numbers = [1, 2, 3]
      return Data([UInt8(numbers[Int(ProcessInfo.processInfo.processIdentifier)])])
    }
  case "exit": { _, _ in exit(0) }
  case "underscore_exit": { _, _ in _exit(4) }
  case "wait_for_cancel":
    { _, _ in
      print("waiting")
      try await _Concurrency.Task.sleep(for: .seconds(1000))
      return nil
    }
  case "stubborn":
    { _, _ in
      print("waiting")
      while true { usleep(1000) }
    }
  case "main_actor": { _, _ in Data("\(await onMainThread())".utf8) }
  case "meet":
    { _, _ in
      // Two children that wait for each other without ever suspending: they need two threads.
      let (left, right) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
      return await withTaskGroup(of: Bool.self) { group in
        group.addTask { meet(left, right) }
        group.addTask { meet(right, left) }
        return Data("\(await group.reduce(true) { $0 && $1 })".utf8)
      }
    }
  case "leave_child":
    { _, _ in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sleep")
      process.arguments = ["1000"]
      try process.run()
      return Data("\(process.processIdentifier)".utf8)
    }
  case "hop":
    { _, _ in
      var sum = 0
      for _ in 0..<1000 {
        sum += 1
        await _Concurrency.Task.yield()
      }
      return Data("\(sum)".utf8)
    }
  case "print_much":
    { _, _ in
      for _ in 0..<20_000 { print(String(repeating: "x", count: 99)) }
      return nil
    }
  case "see_mask":
    { _, _ in
      let mask = umask(0)
      umask(mask)
      return Data("\(mask)".utf8)
    }
  case "see_folder": { _, _ in Data("\"\(FileManager.default.currentDirectoryPath)\"".utf8) }
  case "stop_itself":
    { _, _ in
      kill(getpid(), SIGSTOP)
      try await _Concurrency.Task.sleep(for: .seconds(1000))
      return nil
    }
  case "close_all":
    { _, _ in
      for number in 3..<200 { close(Int32(number)) }
      sleep(1000)
      return nil
    }
  case "close_socket":
    { _, _ in
      close(3)
      sleep(1000)
      return nil
    }
  case "close_control":
    { _, _ in
      dup2(0, 4)
      sleep(1000)
      return nil
    }
  case let name:
    if let change = changes[name] ?? rootsChanges[name] ?? cheapChanges[name] {
      { _, _ in
        try change()
        return nil
      }
    } else {
      nil
    }
  }
}

@Sendable func meet(_ mine: DispatchSemaphore, _ other: DispatchSemaphore) -> Bool {
  other.signal()
  return mine.wait(timeout: .now() + 20) == .success
}

@MainActor func onMainThread() -> Bool { Thread.isMainThread }

struct NotThere: Error {}

// For tests, which ask for each of them.
if CommandLine.arguments.dropFirst().first == "changes" {
  let all = CommandLine.arguments.last == "root" ? rootsChanges : changes
  print(all.keys.sorted().joined(separator: "\n"))
  exit(0)
}

workerMain(
  arguments: Array(CommandLine.arguments.dropFirst(2)),
  code: TaskCode(
    load: { library, _ in if library == "missing" { throw NotThere() } },
    body: { _, taskID in body(taskID: taskID) }))
