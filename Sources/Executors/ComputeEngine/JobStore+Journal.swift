internal import Clash
package import Storage

/// The journal of jobs is the database of a home.
extension JobStore: JobJournal {}
