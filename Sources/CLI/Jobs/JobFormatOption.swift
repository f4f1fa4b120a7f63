import ArgumentParser

/// What becomes of a job that is waited for: its log on standard output, or its result.
struct JobFormatOption: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: "'log' prints the job's log; 'json' or 'yaml' print its result, and the log on standard error.")
  var output: JobOutputFormat = .log
}

enum JobOutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case log, json, yaml
}
