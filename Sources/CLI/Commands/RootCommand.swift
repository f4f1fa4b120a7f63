import ArgumentParser

struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dagrun",
    abstract: "Compiles, schedules and runs workflows that are written in Swift.",
    discussion: """
      DAG files live in the nearest folder 'dags'; state lives in '.dagrun' beside it.

      Exit codes: 0 done, or the run succeeded; 1 the run failed; 2 wrong usage; 3 no such DAG, run or task; \
      4 import errors; 5 another process holds what is needed, or the machine fails; 130 interrupted. 'job run' ends with \
      its program's, or 240 to 248.
      """,
    version: Version.text,
    subcommands: [
      TriggerCommand.self, BackfillGroup.self, SchedulerCommand.self, DAGsGroup.self, TasksGroup.self,
      JobGroupCommand.self, ExplainCommand.self, PoolsGroup.self, VariablesGroup.self, DatabaseGroup.self,
      BuildCommand.self, AirflowPluginGroup.self,
      EmulatorGroup.self, DoctorCommand.self, VersionCommand.self, CompletionsCommand.self, ReferenceCommand.self,
    ])

  /// The parser says "Error:" by itself; everything else here says "error:".
  static var _errorLabel: String { "error" }
}

struct DAGsGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dags", abstract: "DAGs and their runs.",
    subcommands: [
      DAGsListCommand.self, DAGsListImportErrorsCommand.self, DAGsShowCommand.self, DAGsDetailsCommand.self,
      DAGsExportCommand.self,
      DAGsListRunsCommand.self, DAGsNextExecutionCommand.self, DAGsPauseCommand.self, DAGsUnpauseCommand.self,
      DAGsTestCommand.self, DAGsTriggerCommand.self, DAGsSetStateCommand.self, DAGsDeleteCommand.self,
    ])
}

struct TasksGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tasks", abstract: "Tasks, their states and their logs.",
    subcommands: [
      TasksListCommand.self, TasksStatesCommand.self, TasksClearCommand.self, TasksLogsCommand.self,
      TasksRenderCommand.self, TasksRunCommand.self, TasksSetStateCommand.self,
    ])
}

struct JobGroupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "job", abstract: "Containers on machines of Compute Engine that live only for them.",
    discussion: "Needs no DAG files: where no home is found, jobs are kept in ~/.dagrun.",
    subcommands: [
      JobRunCommand.self, JobAttachCommand.self, JobServeCommand.self, JobListCommand.self, JobLogsCommand.self,
      JobCancelCommand.self,
      JobGCCommand.self, JobCostCommand.self, JobRenderCommand.self,
    ])
}

struct EmulatorGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emulator", abstract: "Google Cloud on this machine, as far as jobs need it.",
    subcommands: [
      EmulatorStartCommand.self, EmulatorInventoryCommand.self, EmulatorBillingCommand.self,
      EmulatorPreemptCommand.self, EmulatorFaultCommand.self,
    ], defaultSubcommand: EmulatorStartCommand.self)
}

struct BackfillGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backfill", abstract: "Runs of one DAG over a range of dates.",
    subcommands: [BackfillCreateCommand.self, BackfillListCommand.self, BackfillCancelCommand.self],
    defaultSubcommand: BackfillCreateCommand.self)
}

struct PoolsGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pools", abstract: "Pools: limits on how many tasks run at once.",
    subcommands: [PoolsListCommand.self, PoolsGetCommand.self, PoolsSetCommand.self, PoolsDeleteCommand.self])
}

struct VariablesGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "variables", abstract: "Variables: values that DAG files read as \\(.var(\"name\")).",
    subcommands: [
      VariablesListCommand.self, VariablesGetCommand.self, VariablesSetCommand.self, VariablesDeleteCommand.self,
    ])
}

struct DatabaseGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db", abstract: "The database of the home.",
    subcommands: [DatabaseCheckCommand.self, DatabaseBackupCommand.self, DatabaseInfoCommand.self])
}
