import Foundation

// Looked at before the argument parser: these must start fast.
let arguments = Array(CommandLine.arguments.dropFirst())
if arguments == ["version"] || arguments == ["--version"] {
  print(Version.text)
  exit(0)
}

let session = Session.process()
Task {
  exit(await Interpreter.run(arguments, in: session).rawValue)
}
dispatchMain()
