import DagBag

/// `dagrun describe-library LIBRARY ENTRY`, which the bag starts for each changed DAG file. Read before anything else: it
/// has no options, and its start-up time is part of every edit.
func describeLibraryIfAsked() {
  let arguments = CommandLine.arguments
  guard arguments.count == 4, arguments[1] == "describe-library" else { return }
  describeMain(library: arguments[2], entry: arguments[3])
}
