internal import Dagrun
package import GoogleCloud

/// The VM of one attempt of a job: all that is sent to Google for it, as values. Nothing here talks to anybody.
///
/// The VM is described by an instance template and made by a managed instance group of size 1. What it does is in its
/// metadata `user-data`: files, a systemd unit and the runner (`UserData`, `RunnerScript`); docs/what-the-vm-runs.md
/// tells the whole of it.
package struct JobMachine: Hashable, Sendable {
  package let request: JobRequest
  /// From 1.
  package let attempt: Int
  package let offer: MachineOffer
  /// Of the VM's operating system: `projects/cos-cloud/global/images/NAME`.
  package let imageLink: String
  package let endpoints: Endpoints
  /// What lies in the job's folder on the VM.
  package let files: MachineFiles
  package let userData: String
  /// Beside the user-data: pieces of files that are too large for it.
  package let fileItems: [InstanceMetadata.Item]

  /// - Parameter firstWordSeconds: nil: as the runner has it.
  /// - Throws: when the job asks for something that no VM can be told: a zero byte in an argument, a label that Google
  ///   refuses, more data than metadata may hold.
  package init(
    request: JobRequest, attempt: Int, offer: MachineOffer, imageLink: String, endpoints: Endpoints,
    firstWordSeconds: Int? = nil
  ) throws(JobMachineError) {
    self.request = request
    self.attempt = attempt
    self.offer = offer
    self.imageLink = imageLink
    self.endpoints = endpoints
    let files = try MachineFiles(
      request: request, attempt: attempt, offer: offer, endpoints: endpoints, firstWordSeconds: firstWordSeconds)
    let metadata = try UserData(files: files, job: request.name)
    self.files = files
    userData = metadata.text
    fileItems = metadata.items
    try MachineLabels.check(request.spec.config.labels)
    _ = try network()
  }

  /// Of the template, of the group, and the base name of its VM.
  package var name: String { Self.name(of: request.name, attempt: attempt) }

  package static func name(of job: String, attempt: Int) -> String { "\(job)-\(attempt)" }

  package var labels: [String: String] { MachineLabels.all(of: request, attempt: attempt) }

  var config: JobConfig { request.spec.config }
}
