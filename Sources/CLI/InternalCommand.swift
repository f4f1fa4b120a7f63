import CloudEmulator
import DagBag
import Dagrun
import Workers

/// What this binary is when dagrun itself starts it. No person types these, and their start-up is part of every edit
/// and of every task's first launch.
enum InternalCommand {
  /// Does not return when it was asked for.
  static func runIfAsked(_ arguments: [String]) {
    switch arguments.first {
    case "worker":
      workerMain(
        arguments: Array(arguments.dropFirst()),
        code: TaskCode(
          load: { try loadDAGFile(library: $0, entry: $1) }, body: { Registry.body(dagID: $0, taskID: $1) }))
    case "describe-library": describeMain(arguments: Array(arguments.dropFirst()))
    case "virtual-machine": virtualMachineMain(arguments: Array(arguments.dropFirst()))
    default: return
    }
  }
}
