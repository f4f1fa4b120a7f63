import Testing

@testable import JobControl

@Suite struct ServeRequestTests {
  @Test(
    arguments: [
      (#"{"attach": "train-1", "project": "p"}"#, .attach("train-1", project: "p")),
      (#"{"attach": "train-1"}"#, .attach("train-1", project: nil)),
      (#"{"project": null, "attach": "train-1"}"#, .attach("train-1", project: nil)),
      (#"{"cancel": "train-1"}"#, .cancel("train-1")), (#"{"taken": "train-1"}"#, .taken("train-1")),
      (#" {"leave": "train-1"} "#, .leave("train-1")),
    ] as [(String, ServeRequest)])
  func `a request is one word and a job`(line: String, request: ServeRequest) throws {
    #expect(try ServeRequest(line: line) == request)
  }

  @Test(
    arguments: [
      ("attach train", "not JSON: attach train"), ("[]", "not a JSON object"), ("null", "not a JSON object"),
      ("{}", "one of attach, cancel, taken, leave"), (#"{"attach": 1}"#, "one of attach"),
      (#"{"attach": "a", "cancel": "a"}"#, "one of attach"), (#"{"attach": "a", "project": 1}"#, "a project is a text"),
      (#"{"cancel": "a", "now": true}"#, #"knows no "now""#),
    ])
  func `what is not a request is refused in words`(line: String, words: String) {
    let problem = #expect(throws: ServeRequest.Problem.self) { try ServeRequest(line: line) }
    #expect(problem?.words.contains(words) == true, "\(problem?.words ?? "")")
  }
}
