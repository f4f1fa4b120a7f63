internal import Basics
internal import Foundation

/// When a call is sent again. Pure: the caller sends, waits, and tells the time.
///
/// Sent again are 5xx, 408, 429, 403 for too many requests, and lost connections; a request that may not be repeated
/// only where nothing was done: it never left, or was refused for being one of too many. 401 once, with a new token. An
/// empty end of a long poll is an answer.
package struct RetryRules: Hashable, Sendable {
  package var firstDelaySeconds = 1.0
  package var longestDelaySeconds = 32.0
  /// All sends of one call together: a later one is not begun.
  package var deadlineSeconds = 600.0
  /// A long poll that a fault ended is not answered sooner than this after its start: whoever polls in a loop would
  /// otherwise spin.
  package var shortestPollSeconds = 1.0

  package init() {}

  enum Step: Hashable {
    case answer
    case emptyPoll(afterSeconds: Double)
    case again(afterSeconds: Double)
    case againWithNewToken
    case fail
  }

  enum Outcome {
    case answered(HTTPResponse)
    case unanswered(HTTPFailure)
    /// There is no token to send.
    case notSignedIn(CloudError)

    var mayHaveBeenSent: Bool {
      switch self {
      case .answered: true
      case .unanswered(let failure): failure.mayHaveBeenSent
      case .notSignedIn: false
      }
    }
  }

  /// How far one call has come.
  struct Progress: Hashable {
    /// Sends that were decided on.
    var sends = 0
    var delays = 0
    var hasNewToken = false
  }

  /// - Parameters:
  ///   - elapsed: seconds since the call began.
  ///   - held: seconds since this send began.
  ///   - random: from 0 to 1; the delays have full jitter, so that many callers do not come back together.
  func next(
    _ progress: inout Progress, after outcome: Outcome, to request: CloudRequest, elapsed: Double, held: Double,
    now: Date, random: Double
  ) -> Step {
    progress.sends += 1
    var floor = 0.0
    switch judge(outcome, request) {
    case .answer: return .answer
    case .fail: return .fail
    case .emptyPoll: return .emptyPoll(afterSeconds: max(0, shortestPollSeconds - held))
    case .signIn:
      if progress.hasNewToken { return .fail }
      progress.hasNewToken = true
      return .againWithNewToken
    case .again(let retryAfter): floor = retryAfter.flatMap { RetryAfter.seconds($0, now: now) } ?? 0
    }
    let longest = Backoff(firstSeconds: firstDelaySeconds, longestSeconds: longestDelaySeconds)
      .seconds(doublings: progress.delays)
    progress.delays += 1
    let delay = floor + longest * random
    let deadline = min(deadlineSeconds, request.patienceSeconds ?? deadlineSeconds)
    return elapsed + delay > deadline ? .fail : .again(afterSeconds: delay)
  }

  private enum Verdict {
    case answer, emptyPoll, signIn, fail
    case again(retryAfter: String?)
  }

  private func judge(_ outcome: Outcome, _ request: CloudRequest) -> Verdict {
    switch outcome {
    case .notSignedIn(let error): return error.isTransient ? .again(retryAfter: nil) : .fail
    case .unanswered(let failure): return judge(failure, request)
    case .answered(let response):
      if (200..<300).contains(response.status) || request.acceptedStatuses.contains(response.status) { return .answer }
      return judge(response, request)
    }
  }

  private func judge(_ failure: HTTPFailure, _ request: CloudRequest) -> Verdict {
    switch failure.kind {
    case .unusable, .untrusted, .tooLong, .notWritten, .cancelled: return .fail
    case .nameNotFound, .noConnection: return .again(retryAfter: nil)
    case .timeout, .lost:
      if request.isLongPoll, failure.mayHaveBeenSent { return .emptyPoll }
      return request.isRepeatable || !failure.mayHaveBeenSent ? .again(retryAfter: nil) : .fail
    }
  }

  private func judge(_ response: HTTPResponse, _ request: CloudRequest) -> Verdict {
    let body = ErrorBody(response.body)
    let codes = Set(body.codes)
    let reason = CloudError.reason(codes: body.codes, status: response.status, message: body.message ?? "")
    let retryAfter = response.headers["retry-after"]
    if response.status == 401 { return .signIn }
    if request.isLongPoll, Self.isEmptyEnd(response.status, codes) { return .emptyPoll }
    // Refused before anything was done, also where the request may not be repeated.
    if response.status == 429 || (response.status == 403 && reason == .rateLimited) {
      return .again(retryAfter: retryAfter)
    }
    // Where Google has no such machine (a 503), the next one on the ladder is asked for, not this one again.
    guard request.isRepeatable, reason != .outOfCapacity else { return .fail }
    let mayPass = response.status == 408 || ((500..<600).contains(response.status) && response.status != 501)
    let isNamed = request.alsoRetried.contains(String(response.status)) || !codes.isDisjoint(with: request.alsoRetried)
    return mayPass || isNamed ? .again(retryAfter: retryAfter) : .fail
  }

  private static func isEmptyEnd(_ status: Int, _ codes: Set<String>) -> Bool {
    [408, 499, 504].contains(status) || !codes.isDisjoint(with: ["DEADLINE_EXCEEDED", "CANCELLED"])
  }
}
