internal import Model

/// The journal of jobs is the database of a home.
extension JobStore: JobJournal {}
