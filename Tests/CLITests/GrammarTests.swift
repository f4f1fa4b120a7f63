import ArgumentParser
import Testing

@testable import CLI

@Suite struct GrammarTests {
  /// Every command line that the issue and Airflow's grammar name.
  @Test(arguments: [
    "trigger nightly", "trigger nightly -c {} -r id -l 2026-01-31 --no-wait -o json",
    "dags trigger nightly -c {} -r id", "backfill nightly --from-date 2026-01-01 --to-date 2026-01-31",
    "backfill nightly --from-date 2026-01-01 --to-date 2026-01-31 --run-backwards --max-active-runs 3"
      + " --reprocess-behavior failed --task-regex ex.* --dry-run -c {} -o json",
    "backfill create nightly --from-date 2026-01-01 --to-date 2026-01-31", "backfill list", "backfill cancel 1",
    "scheduler", "scheduler --until-idle", "dags list -o yaml", "dags list-import-errors -o plain",
    "dags show nightly -f mermaid", "dags details nightly", "dags list-runs nightly --state failed -l 3",
    "dags next-execution nightly -n 3", "dags pause nightly", "dags unpause nightly", "dags test nightly",
    "dags test nightly 2026-01-31", "dags delete nightly -y", "dags set-state nightly latest failed",
    "tasks list nightly", "tasks states-for-dag-run nightly latest",
    "tasks clear nightly -t ex -s 2026-01-01 -e 2026-01-31 -u -d -f -y", "tasks logs nightly latest extract --try 2 -f",
    "tasks render nightly extract 2026-01-31", "tasks run nightly extract", "tasks run nightly extract 2026-01-31",
    "tasks set-state nightly latest extract success", "explain nightly latest extract", "pools list",
    "pools get default_pool", "pools set gpu 4", "pools set gpu unlimited what_for --include-deferred",
    "pools set gpu -- -1", "pools delete gpu",
    "variables list", "variables get region -d eu", "variables set region eu", "variables delete region", "db check",
    "db backup copy.db", "db info -o json", "build -o out", "doctor", "version", "completions zsh",
    "trigger nightly --home /h --dags-folder /d",
  ])
  func `parses`(line: String) throws {
    #expect(try RootCommand.parseAsRoot(words(line)) is any Command)
  }

  @Test(arguments: [
    "trigger", "trigger nightly --unknown", "trigger nightly -l 2026-13-01", "trigger nightly extra",
    "backfill nightly", "backfill nightly --from-date 2026-02-01 --to-date 2026-01-01",
    "backfill nightly --from-date 2026-01-01 --to-date 2026-01-02 --max-active-runs 0",
    "backfill nightly --from-date 2026-01-01 --to-date 2026-01-02 --task-regex (",
    "dags list -o xml", "dags show nightly -f png", "dags next-execution nightly -n 0",
    "tasks logs nightly latest extract --try 0", "tasks set-state nightly latest extract running",
    "pools set gpu -2", "pools set gpu many", "completions tcsh", "build", "nonsense", "dags nonsense", "--home",
  ])
  func `a wrong command line exits with 2 and says why`(line: String) async {
    let test = TestSession()
    let status = await CommandRunner.run(words(line), in: test.session)
    #expect(status == .wrongUsage)
    #expect(test.errors.hasPrefix("error: "))
    #expect(test.output.isEmpty)
  }

  @Test func `a mistyped command is asked about`() async {
    let test = TestSession()
    _ = await test.run("dags", "lsit")
    #expect(
      test.errors == "error: dagrun dags has no command 'lsit'; did you mean 'list'?\n  see 'dagrun dags --help'\n")
  }

  @Test(arguments: ["--help", "dags --help", "help tasks", "dags", "trigger -h"])
  func `help exits with 0 and goes to standard output`(line: String) async {
    let test = TestSession()
    #expect(await CommandRunner.run(words(line), in: test.session) == .success)
    #expect(test.output.contains("USAGE: dagrun"))
    #expect(test.errors.isEmpty)
  }

  @Test func `hidden commands are not in the help`() async {
    let test = TestSession()
    _ = await test.run("--help")
    #expect(!test.output.contains("reference"))
  }

  @Test func `every command has a word of help, and so has every argument`() throws {
    for command in try ToolDescription.ofThisTool().command.all {
      #expect(command.abstract?.isEmpty == false, "\(command.path)")
      for argument in command.shownArguments {
        #expect(argument.abstract?.isEmpty == false, "\(command.path) \(argument.label)")
      }
    }
  }
}

private func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
