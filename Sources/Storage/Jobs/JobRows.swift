internal import Foundation
internal import Model

extension JobRecord {
  /// A row of `job`, without its attempts.
  init(row: SQLRow) {
    var task: JobTask?
    if let dagID = row.optionalText(2) {
      let instance = TaskInstanceKey(
        run: row.int64(6), taskID: row.text(4), mapIndex: Int32(clamping: row.int64(15)))
      task = JobTask(
        dagID: dagID, runID: row.text(3),
        key: TryKey(instance, row.int(5), member: Int32(clamping: row.int64(16))))
    }
    self.init(
      name: row.text(0), project: row.text(1), task: task, isDetached: row.bool(7), phase: row.text(8),
      isFinished: row.bool(9), submittedAt: row.timestamp(10), finishedAt: row.optionalTimestamp(11),
      request: row.text(12), state: row.text(13), takenAt: row.optionalTimestamp(14))
  }
}

extension JobAttempt {
  /// A row of `job_attempt`.
  init(row: SQLRow) {
    self.init(
      number: row.int(1), zone: row.optionalText(2), region: row.text(3), machineType: row.text(4),
      isSpot: row.bool(5), requestedAt: row.timestamp(6), machineStartedAt: row.optionalTimestamp(7),
      containerStartedAt: row.optionalTimestamp(8), endedAt: row.optionalTimestamp(9),
      // The schema knows the same endings.
      ending: row.optionalText(10).flatMap(Ending.init(rawValue:)), cost: row.optionalDouble(11),
      machines: row.optionalText(12).flatMap(Self.machines(in:)))
  }

  var machinesText: String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return machines.flatMap { try? encoder.encode($0) }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// nil for what another dagrun has written and this one cannot read: then the other columns count.
  private static func machines(in text: String) -> [MachineUse]? {
    try? JSONDecoder().decode([MachineUse].self, from: Data(text.utf8))
  }
}
