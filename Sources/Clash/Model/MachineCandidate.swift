/// One kind of machine in one place: what an attempt asks Google for. The ladder is made of them.
package struct MachineCandidate: Codable, Hashable, Sendable {
  package var machineType: String
  package var isSpot: Bool
  package var place: Location

  package init(machineType: String, isSpot: Bool, place: Location) {
    self.machineType = machineType
    self.isSpot = isSpot
    self.place = place
  }
}

/// Where a group is made.
package enum Location: Codable, Hashable, Sendable {
  /// A zonal group.
  case zone(String)
  /// A regional group with the target shape ANY: Google picks a zone with capacity.
  case region(String)

  package var name: String {
    switch self {
    case .zone(let name), .region(let name): name
    }
  }

  package var zone: String? {
    switch self {
    case .zone(let name): name
    case .region: nil
    }
  }

  package var region: String {
    switch self {
    // europe-west1-b is in europe-west1.
    case .zone(let name): name.lastIndex(of: "-").map { String(name[..<$0]) } ?? name
    case .region(let name): name
    }
  }
}

extension MachineCandidate: CustomStringConvertible {
  /// `n1-standard-4 (Spot) in europe-west1-b`.
  package var description: String { "\(machineType)\(isSpot ? " (Spot)" : "") in \(place.name)" }
}

/// Attempt N of a job: its template and its group are both named `JOB-N`.
package struct AttemptPlan: Codable, Hashable, Sendable {
  /// From 1.
  package var number: Int
  package var candidate: MachineCandidate

  private enum CodingKeys: String, CodingKey {
    case number
    case candidate = "rung"
  }

  package init(number: Int, candidate: MachineCandidate) {
    self.number = number
    self.candidate = candidate
  }

  package func resourceName(job: String) -> String { "\(job)-\(number)" }
}
