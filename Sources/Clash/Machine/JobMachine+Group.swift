package import GoogleCloud

extension JobMachine {
  /// The body of `instanceGroupManagers.insert`, or of `regionInstanceGroupManagers.insert`, in `offer.scope`.
  package var group: InstanceGroupManager {
    var group = InstanceGroupManager(
      name: name, baseInstanceName: name, instanceTemplate: "global/instanceTemplates/\(name)", targetSize: 1)
    // A group has no labels: its description tells whose it is.
    group.description = "dagrun job \(request.name), attempt \(attempt), home \(request.origin.homeID)"
    // A client that drives the job decides what follows a lost VM; of a detached job nobody else would.
    group.instanceLifecyclePolicy = .init(defaultActionOnFailure: request.isDetached ? .repair : .doNothing)
    group.allInstancesConfig = .init(labels: labels)
    switch offer.scope {
    case .region:
      group.distributionPolicy = .init(targetShape: .any)
      group.updatePolicy = .init(instanceRedistributionType: "NONE")
    case .zone, .global: break
    }
    return group
  }
}
