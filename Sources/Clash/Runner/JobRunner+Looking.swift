internal import Dagrun
package import GoogleCloud

/// What a project has of a job of which only the name is known.
package enum JobTrace: Hashable, Sendable {
  case nothing
  /// `JobRunner.attach` can continue with it, or take its result; or remove what is left of it where both are done.
  case job
  /// It was begun elsewhere, and there is nothing (or not enough) to continue with. Why, in words.
  case remains(String)
}

extension JobRunner {
  /// - Parameter likely: as of `attach`.
  package func look(for name: String, project: String, likely: JobRequest? = nil) async throws(CloudError) -> JobTrace {
    let cloud = cloud(ofProject: project)
    // Made first, and removed when all is done: without it there is no more than a template.
    guard try await cloud.found({ () throws(CloudError) in try await cloud.pubSub.topic(name) }) != nil else {
      return .nothing
    }
    switch await cloud.find(job: name, likely: likely) {
    case .found: return .job
    case .nothing: return .remains("no machine was asked for")
    case .unreadable(let reason): return .remains(reason)
    case .failed(let error): throw error
    }
  }

  /// Whether a job of the name that is over has left a template behind, which is the last that goes.
  package func hasTemplate(of name: String, project: String) async throws(CloudError) -> Bool {
    try await !cloud(ofProject: project).templates(ofJob: name).isEmpty
  }
}
