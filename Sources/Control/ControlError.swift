/// Why a request was not done: a kind that decides the exit code, and the words.
package struct ControlError: Error, Codable, Hashable, Sendable {
  package enum Kind: String, Codable, Sendable {
    /// No such DAG, run, task, pool, backfill. Exit code 3.
    case notFound
    /// The request contradicts itself or what is there. Exit code 2.
    case invalid
    /// The DAG's file does not compile or describe. Exit code 4.
    case importError
    /// Exit code 1, as in Airflow's backfill.
    case nothingToDo
    /// The machine failed: disk, database. Exit code 5 when another process holds what is needed.
    case unavailable
    /// Another process is the scheduler of the home. Exit code 5.
    case held
    /// The scheduler left before it answered. What it has committed it answers first, so nothing was done, unless it
    /// was killed. Exit code 5.
    case gone
  }

  package var kind: Kind
  package var message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}
