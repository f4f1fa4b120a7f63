import Foundation

// Before anything opens a descriptor, such as Dispatch.
StandardDescriptors.openClosed()

// Looked at before the argument parser is: these must start fast, and parse nothing.
let arguments = Array(CommandLine.arguments.dropFirst())
InternalCommand.runIfAsked(arguments)
if arguments == ["version"] || arguments == ["--version"] {
  print(Version.text)
  exit(0)
}

StandardDescriptors.ignoreSignals()
let session = Session.process()
Task {
  let status = OutputLoss.judge(await CommandRunner.run(arguments, in: session), session)
  fflush(nil)
  // Not `exit`: it tears libraries down under threads that are still at work, such as one that reads DAG files.
  _exit(status.rawValue)
}
dispatchMain()
