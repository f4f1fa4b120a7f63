/// What a job wants done. The driver's duties, for the actions that one `handle` (or `resume`) returned:
///
/// 1. `writeLog`s first, in order: bytes at a place in the file, so that a repeat does no harm.
/// 2. Then save the job, if it has changed. When saving fails: throw this job away, load the saved one and `resume`.
/// 3. Then everything else. Calls and inspections are answered by events; the others by nothing.
///
/// While `job.isListening`, exactly one pull is open; what it brings is `JobEvent.received`. At `job.nextWake`:
/// `.wake`.
package enum JobAction: Hashable, Sendable {
  case call(CallRequest)
  /// Look at the attempt's group, and at its VM's console where that is wanted. A read: may be asked again, may be
  /// abandoned.
  case inspect(AttemptPlan, console: ConsoleReading)
  /// These ack ids, together. Failing does no harm: the messages come again and are ignored.
  case acknowledge([String])
  /// More of the job's log, at this place of its file. The driver reports it as `JobUpdate.log` when written.
  case writeLog([UInt8], at: Int)
  /// `note`, `began` or `ended`; the last is the job's last action.
  case tell(JobUpdate)
}
