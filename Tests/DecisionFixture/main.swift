// Answers what the scheduler's core decides, for a test that asks Airflow the same: JSON in, JSON out.
import Dagrun
import Foundation
import Model
import Scheduling

struct Question: Decodable {
  struct Task: Decodable {
    var id: String
    var upstream: [String]
    var rule: String
    var role: String
  }

  var ask: String
  var tasks: [Task]
  var states: [String: TaskState]?
  var named: [String]?
  var upstream: Bool?
  var downstream: Bool?
  var mark: TaskState?

  var plan: DAGPlan {
    var dag = DAGDescription(id: "dag", location: SourceLocation(file: "", line: 0))
    let setups = Set(tasks.filter { $0.role == "setup" }.map(\.id))
    for task in tasks {
      var description = TaskDescription(id: task.id, work: .swift, location: SourceLocation(file: "", line: 0))
      description.upstream = task.upstream
      description.triggerRule = TriggerRule(rawValue: task.rule)!
      if task.role == "setup" { description.role = .setup }
      if task.role == "teardown" {
        description.role = .teardown(setups: task.upstream.filter(setups.contains), failsRun: false)
      }
      dag.tasks.append(description)
    }
    return DAGPlan(dag, version: "1")
  }

  /// What each waiting task does next.
  func decisions() -> [String: String] {
    plan.decisions(states ?? [:]).mapValues { decision in
      switch decision {
      case .wait: "wait"
      case .run: "run"
      case .end(let state): state.rawValue
      }
    }
  }

  /// The tasks that start over when one is marked.
  func clearedByMark() -> [String] {
    let date = Timestamp(microseconds: 0)
    let instances = tasks.map {
      TaskInstance(taskID: $0.id, state: states?[$0.id] ?? .none, tryNumber: 1, maxTries: 0)
    }
    // A run that waits shows what was cleared, and starts none of it.
    let run = DAGRun(
      number: 1, dagID: "dag", runID: "r", type: .manual, state: .queued, logicalDate: nil, dataInterval: nil,
      runAfter: date, queuedAt: date, conf: "{}", version: "1")
    var scheduler = Scheduler(
      restoring: Snapshot(
        plans: [plan], dags: [DAGRecord(dagID: "dag", version: "1")], runs: [RunSnapshot(run: run, tasks: instances)],
        lastRunNumber: 1),
      limits: .offline)
    _ = scheduler.handle(
      .setTaskState(TaskInstanceKey(run: 1, taskID: named![0]), mark!, loaded: nil), at: date)
    return tasks.map(\.id).filter {
      scheduler.taskInstance(TaskInstanceKey(run: 1, taskID: $0))?.state == TaskState.none
    }.sorted()
  }
}

let questions = try JSONDecoder().decode([Question].self, from: FileHandle.standardInput.readDataToEndOfFile())
let answers: [Any] = questions.map { question -> Any in
  switch question.ask {
  case "decide": question.decisions()
  case "subset":
    question.plan.subset(
      of: Set(question.named!), withUpstream: question.upstream!, withDownstream: question.downstream!
    ).sorted()
  case "mark": question.clearedByMark()
  default: preconditionFailure("a question that nobody knows: \(question.ask)")
  }
}
FileHandle.standardOutput.write(try JSONSerialization.data(withJSONObject: answers))
