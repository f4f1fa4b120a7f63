import Foundation

// Looked at before the argument parser is: these must start fast, and parse nothing.
let arguments = Array(CommandLine.arguments.dropFirst())
HiddenCommand.runIfAsked(arguments)
if arguments == ["version"] || arguments == ["--version"] {
  print(Version.text)
  exit(0)
}

let session = Session.process()
Task {
  exit(await Interpreter.run(arguments, in: session).rawValue)
}
dispatchMain()
