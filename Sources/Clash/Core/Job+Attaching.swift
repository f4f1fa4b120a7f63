package import Dagrun
internal import Model

extension Job {
  /// A job of which only its name was known: another home began it, and its newest attempt's template was found, with
  /// the request in its metadata. What came of earlier attempts is not known here.
  package init(
    attachingTo request: JobRequest, plan: AttemptPlan, askedAt: Timestamp? = nil, timings: JobTimings = JobTimings(),
    at now: Timestamp
  ) {
    self.init(request, timings: timings, at: now)
    for number in 1...max(plan.number, 1) {
      var attempt = JobAttempt(
        number: number, zone: plan.candidate.place.zone, region: plan.candidate.place.region,
        machineType: plan.candidate.machineType,
        isSpot: plan.candidate.isSpot, requestedAt: min(askedAt ?? now, now))
      if number < plan.number { (attempt.endedAt, attempt.ending) = (now, .lost) }
      attempts.append(attempt)
      // The template of an earlier one goes at the end, if it is still there.
      let template = ResourceID.template(AttemptPlan(number: number, candidate: plan.candidate))
      resources.append(OwnedResource(id: template, existence: number == plan.number ? .made : .unknown))
    }
    let candidateIndex = ladder.candidates.firstIndex(of: plan.candidate) ?? 0
    phase = .attempting(plan, LadderPosition(candidateIndex: candidateIndex), .waitingForMachine(since: now))
    // Its VM may have removed the group already, and only what is there may be taken for ours.
    resources += [
      OwnedResource(id: .topic, existence: .unknown), OwnedResource(id: .subscription, existence: .made),
      OwnedResource(id: .group(plan), existence: .unknown),
    ]
  }
}
