package import Clash
internal import Dagrun
internal import Foundation
internal import Glibc
package import GoogleCloud
package import Logging
package import Model
internal import Processes
internal import Storage

/// What driving jobs needs besides a home: a way to Google's services, and prices.
package struct JobAccess: Sendable {
  package var transport: any CloudTransport
  package var endpoints: Endpoints
  package var options: JobRunnerOptions

  package init(
    transport: any CloudTransport, endpoints: Endpoints, options: JobRunnerOptions = JobRunnerOptions()
  ) {
    self.transport = transport
    self.endpoints = endpoints
    self.options = options
  }

  /// As the environment says it: credentials, addresses, and DAGRUN_JOB_TIMINGS.
  package init(_ session: CloudSession, environment: [String: String]) throws {
    self.init(transport: session, endpoints: session.endpoints)
    if let text = environment["DAGRUN_JOB_TIMINGS"], !text.isEmpty { try options.takeTimings(text) }
  }
}

extension JobRunnerOptions {
  /// Between the end of an ack deadline and the arrival of what comes again.
  private static let shortestMarginSeconds = 3.0

  /// Some of the waits, for an emulator, where nothing takes as long as it does at Google's.
  ///
  /// - Parameter text: A JSON object: names of `JobTimings`, `acknowledgeLimitSeconds`, `longestRetrySeconds` or
  ///   `firstWordSeconds`, and seconds.
  package mutating func takeTimings(_ text: String) throws {
    guard let given = try? JSONDecoder().decode([String: Double].self, from: Data(text.utf8)) else {
      throw JobTimingsProblem(description: "DAGRUN_JOB_TIMINGS is not a JSON object of seconds: \(text)")
    }
    var known = try JSONDecoder().decode([String: Double].self, from: JSONEncoder().encode(timings))
    for (name, seconds) in given {
      let bound = NumberBound.retryDelay.at("DAGRUN_JOB_TIMINGS, \(name),")
      if let problem = bound.problem(seconds) { throw JobTimingsProblem(description: problem) }
      switch name {
      case "acknowledgeLimitSeconds": acknowledgeLimitSeconds = Int(saturating: min(max(seconds, 10), 600))
      case "longestRetrySeconds": longestRetrySeconds = seconds
      case "firstWordSeconds": firstWordSeconds = Int(saturating: seconds.rounded(.up))
      case _ where known[name] != nil: known[name] = seconds
      default:
        throw JobTimingsProblem(description: "DAGRUN_JOB_TIMINGS has '\(name)', which is not one of a job's waits")
      }
    }
    timings = try JSONDecoder().decode(JobTimings.self, from: JSONEncoder().encode(known))
    let least = Double(acknowledgeLimitSeconds) + Self.shortestMarginSeconds
    guard timings.loanSeconds >= least else {
      throw JobTimingsProblem(
        description: "DAGRUN_JOB_TIMINGS, loanSeconds, is \(Int(saturating: timings.loanSeconds)) s; at least "
          + "\(Int(saturating: least)) s with an acknowledgeLimitSeconds of \(acknowledgeLimitSeconds): a result that a "
          + "killed client had comes again only then, and another VM would run the job meanwhile")
    }
  }
}

package struct JobTimingsProblem: Error, CustomStringConvertible { package let description: String }

extension Home {
  /// The price table that applies: that of `path`, of DAGRUN_PRICES, or the home's own where there is one.
  package func prices(path: String?, environment: [String: String]) throws -> PriceTable? {
    let given = path ?? environment["DAGRUN_PRICES"].flatMap { $0.isEmpty ? nil : $0 }
    let source = given ?? pricesPath
    guard let bytes = readWholeFile(source) else {
      if given == nil, access(source, F_OK) != 0 { return nil }
      throw SystemError("read the price table \(source)")
    }
    return try PriceTable(yaml: String(decoding: bytes, as: UTF8.self), source: source)
  }

  /// A runner whose jobs are kept in this home.
  package func jobRunner(_ access: JobAccess, logger: Logger) throws -> JobRunner {
    JobRunner(
      transport: access.transport, endpoints: access.endpoints,
      journal: try JobStore(path: databasePath), options: access.options, logger: logger)
  }
}
