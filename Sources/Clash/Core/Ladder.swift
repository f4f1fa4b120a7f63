package import Dagrun

/// The machines a job may take, in the order in which they are tried: for provisioning, for machine type, for place.
///
/// None of it uses a task's retry: a stock-out says nothing about the program.
package struct Ladder: Hashable, Sendable {
  /// Never empty.
  package let candidates: [MachineCandidate]
  /// Bounds the VMs that are begun, and apart from that how often the ladder is climbed in vain.
  package let maxAttempts: Int

  package init(_ config: JobConfig) {
    let models: [Bool] =
      switch config.provisioning {
      case .standard: [false]
      case .spot: [true]
      case .spotThenStandard: [true, false]
      }
    var places = config.zones.map { Location.zone($0) } + config.regions.map { Location.region($0) }
    if places.isEmpty { places = [.zone(JobConfig.defaultZone)] }
    candidates = models.flatMap { isSpot in
      config.machineTypes.flatMap { machineType in
        places.map { MachineCandidate(machineType: machineType, isSpot: isSpot, place: $0) }
      }
    }
    maxAttempts = max(config.maxAttempts, 1)
  }

  package static let top = LadderPosition()

  package func candidate(at position: LadderPosition) -> MachineCandidate {
    candidates[min(position.candidateIndex, candidates.count - 1)]
  }

  /// How a job continues after `fault` at `position`, when it has had `machinesBegun` VMs, this one included.
  package func step(after fault: LadderFault, at position: LadderPosition, machinesBegun: Int) -> LadderStep {
    switch fault {
    case .outOfCapacity, .quotaExceeded, .noMachine:
      return next(after: position)
    case .notOffered:
      return next(after: marking(position))
    case .refused:
      // Of Spot, Google may refuse what it sells on demand.
      var marked = position
      marked.notOffered = Set((position.notOffered ?? []) + [position.candidateIndex]).sorted()
      return next(after: marked)
    case .preempted, .lost, .noBoot:
      guard machinesBegun < maxAttempts else { return .giveUp }
      guard position.losses == 0 else { return next(after: position) }
      var again = position
      again.losses = 1
      return .climb(again)
    }
  }

  private func next(after position: LadderPosition) -> LadderStep {
    func isOffered(_ candidate: Int) -> Bool { position.notOffered?.contains(candidate) != true }
    var next = position
    next.candidateIndex += 1
    next.losses = 0
    if let candidate = (next.candidateIndex..<max(candidates.count, next.candidateIndex)).first(where: isOffered) {
      next.candidateIndex = candidate
      return .climb(next)
    }
    // Waiting brings nothing to a place that does not have the machine at all.
    guard let first = candidates.indices.first(where: isOffered), position.climbs + 1 < maxAttempts else {
      return .giveUp
    }
    next.candidateIndex = first
    next.climbs += 1
    return .pause(next)
  }

  /// No rung has its machine, that of `position` included, which was just found missing.
  package func isOfferedNowhere(_ position: LadderPosition) -> Bool {
    marking(position).notOffered?.count == candidates.count
  }

  /// Another rung than that of `position` may have a machine some day.
  package func hasOthers(than position: LadderPosition) -> Bool {
    candidates.indices.contains { $0 != position.candidateIndex && position.notOffered?.contains($0) != true }
  }

  /// What a place does not have on Spot, it does not have on demand either.
  private func marking(_ position: LadderPosition) -> LadderPosition {
    let missing = candidate(at: position)
    let same = candidates.indices.filter {
      candidates[$0].machineType == missing.machineType && candidates[$0].place == missing.place
    }
    var marked = position
    marked.notOffered = Set((position.notOffered ?? []) + same).sorted()
    return marked
  }
}

package struct LadderPosition: Codable, Hashable, Sendable {
  package var candidateIndex = 0
  /// VMs lost on this rung: the first is replaced on the same one.
  package var losses = 0
  /// How often the whole ladder was climbed before.
  package var climbs = 0
  /// Rungs whose place does not have their machine, or refuses it. nil: none is known.
  package var notOffered: [Int]?
  /// What Google said of the last one that it refused (`LadderFault.refused`).
  package var refusal: String?

  private enum CodingKeys: String, CodingKey {
    case candidateIndex = "rung"
    case losses, climbs, notOffered, refusal
  }
}

/// Why an attempt came to nothing, where another one may go better.
package enum LadderFault: String, Codable, Hashable, Sendable, CaseIterable {
  case outOfCapacity = "out_of_capacity"
  case quotaExceeded = "quota_exceeded"
  /// The place does not have such a machine type, or such an accelerator.
  case notOffered = "not_offered"
  /// Google refuses this machine in this place, or says of it what this program does not know.
  case refused
  /// Neither a VM nor an error within `JobTimings.machineLimitSeconds`.
  case noMachine = "no_machine"
  case preempted
  /// The VM is gone or silent.
  case lost
  /// The VM ran and never said a word.
  case noBoot = "no_boot"
}

package enum LadderStep: Hashable, Sendable {
  case climb(LadderPosition)
  /// From the top again, after a pause that grows with `climbs`.
  case pause(LadderPosition)
  /// The job has had all that its `maxAttempts` allows.
  case giveUp
}
