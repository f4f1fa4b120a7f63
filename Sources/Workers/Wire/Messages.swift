package import Dagrun
internal import Foundation
package import Model

/// What the engine tells a worker. On the wire each message is a length (32 bits), a kind (8 bits) and its fields.
package enum WorkerRequest: Hashable, Sendable {
  /// Comes to each worker before its first task of that run, and again when the variables have changed.
  case run(RunContextMessage)
  case start(TryAssignment)
  /// Comes on the second socket, which is also read while a task runs.
  case stop(TryKey)
}

/// What a worker tells the engine.
package enum WorkerReport: Hashable, Sendable {
  /// The worker has started up, and can be given a task.
  case ready
  /// It has read the DAG file of its first Swift task, and begins that task.
  case loaded
  /// `isLast`: the task has changed the process, so that no other one may run in it.
  case finished(TryKey, TaskResult, isLast: Bool)
}

/// What is the same for all tasks of a run.
package struct RunContextMessage: Hashable, Sendable {
  package var run: Int64
  package var context: RunContext
  /// The run's folder of logs; absolute.
  package var logFolder: String
  /// Where a shell task works that says nothing else; absolute.
  package var workingDirectory: String

  package init(run: Int64, context: RunContext, logFolder: String, workingDirectory: String) {
    self.run = run
    self.context = context
    self.logFolder = logFolder
    self.workingDirectory = workingDirectory
  }

  package func logPath(of key: TryKey) -> String { "\(logFolder)/\(LogPath.withinRun(key))" }
}

extension WorkerRequest {
  package func append(to writer: inout ByteWriter) {
    writer.writeBlock { writer in
      switch self {
      case .run(let runMessage):
        writer.write(UInt8(0))
        writer.write(runMessage.run)
        // Once a run: here the ordinary coder is good enough.
        let json = try! JSONEncoder().encode(runMessage.context)
        writer.write(String(decoding: json, as: UTF8.self))
        writer.write(runMessage.logFolder)
        writer.write(runMessage.workingDirectory)
      case .start(let assignment):
        writer.write(UInt8(1))
        writer.write(assignment)
      case .stop(let id):
        writer.write(UInt8(2))
        writer.write(id)
      }
    }
  }

  package init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
    var reader = ByteReader(bytes)
    switch try reader.byte() {
    case 0:
      let run = try reader.integer(Int64.self)
      let json = try reader.string()
      guard let context = try? JSONDecoder().decode(RunContext.self, from: Data(json.utf8)) else {
        throw MalformedBytes()
      }
      self = .run(
        RunContextMessage(
          run: run, context: context, logFolder: try reader.string(), workingDirectory: try reader.string()))
    case 1: self = .start(try reader.tryAssignment())
    case 2: self = .stop(try reader.tryKey())
    default: throw MalformedBytes()
    }
    if !reader.isAtEnd { throw MalformedBytes() }
  }
}

extension WorkerReport {
  package func append(to writer: inout ByteWriter) {
    writer.writeBlock { writer in
      switch self {
      case .ready:
        writer.write(UInt8(0))
      case .finished(let id, let result, let isLast):
        writer.write(UInt8(1))
        writer.write(id)
        writer.write(isLast)
        writer.write(result)
      case .loaded:
        writer.write(UInt8(2))
      }
    }
  }

  package init(_ bytes: UnsafeRawBufferPointer) throws(MalformedBytes) {
    var reader = ByteReader(bytes)
    switch try reader.byte() {
    case 0: self = .ready
    case 1:
      let id = try reader.tryKey()
      let isLast = try reader.bool()
      self = .finished(id, try reader.taskResult(), isLast: isLast)
    case 2: self = .loaded
    default: throw MalformedBytes()
    }
    if !reader.isAtEnd { throw MalformedBytes() }
  }
}
