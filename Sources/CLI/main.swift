import Dagrun

if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "describe-library" {
  try loadDAGFile(library: CommandLine.arguments[2], entry: CommandLine.arguments[3])
  print(Registry.description())
}
