internal import Preparation

extension ByteWriter {
  mutating func write(_ assignment: TryAssignment) {
    write(assignment.key)
    write(assignment.graceSeconds)
    write(assignment.endsWithItsGiver)
    write(assignment.workload.outputIsRead)
    write(assignment.workload.hidesScript)
    write(assignment.workload.user) { $0.write($1) }
    write(assignment.workload.missingOutputs)
    switch assignment.workload.work {
    case .bash(let script, let environment, let workingDirectory):
      write(UInt8(0))
      write(script)
      write(environment)
      write(workingDirectory) { $0.write($1) }
    case .swift(let library, let entry, let inputs):
      write(UInt8(1))
      write(library)
      write(entry)
      write(inputs) { $0.write($1) }
    case .madeScript(let library, let entry, let inputs, let environment, let workingDirectory):
      write(UInt8(2))
      write(library)
      write(entry)
      write(inputs) { $0.write($1) }
      write(environment)
      write(workingDirectory) { $0.write($1) }
    case .jobs: preconditionFailure("\(assignment.key): a worker is given no jobs")
    }
  }

  private mutating func write(_ texts: [String: String]) {
    write(texts) {
      $0.write($1.key)
      $0.write($1.value)
    }
  }
}

extension ByteReader {
  mutating func tryAssignment() throws(MalformedBytes) -> TryAssignment {
    let key = try tryKey()
    let graceSeconds = try double()
    let endsWithItsGiver = try bool()
    let outputIsRead = try bool()
    let hidesScript = try bool()
    let user = try optionalString()
    let missingOutputs = try texts()
    let work: TaskWorkload.Work
    switch try byte() {
    case 0:
      work = .bash(script: try string(), environment: try texts(), workingDirectory: try optionalString())
    case 1:
      work = .swift(library: try string(), entry: try string(), inputs: try strings())
    case 2:
      work = .madeScript(
        library: try string(), entry: try string(), inputs: try strings(), environment: try texts(),
        workingDirectory: try optionalString())
    default: throw MalformedBytes()
    }
    var workload = TaskWorkload(key, work: work)
    workload.outputIsRead = outputIsRead
    workload.hidesScript = hidesScript
    workload.user = user
    workload.missingOutputs = missingOutputs
    return TryAssignment(workload, graceSeconds: graceSeconds, endsWithItsGiver: endsWithItsGiver)
  }

  private mutating func texts() throws(MalformedBytes) -> [String: String] {
    var all: [String: String] = [:]
    for _ in 0..<(try integer(UInt32.self)) {
      let name = try string()
      all[name] = try string()
    }
    return all
  }

  private mutating func strings() throws(MalformedBytes) -> [String] {
    let count = Int(try integer(UInt32.self))
    var all: [String] = []
    for _ in 0..<count { all.append(try string()) }
    return all
  }
}
