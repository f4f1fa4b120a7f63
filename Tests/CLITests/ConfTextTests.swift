import Testing

@testable import CLI

@Suite struct ConfTextTests {
  @Test func `equal objects are equal texts`() throws {
    #expect(try ConfText.check(nil) == "{}")
    #expect(try ConfText.check(#" { "b": 1, "a": [true, null, 0.5, "x"] } "#) == #"{"a":[true,null,0.5,"x"],"b":1}"#)
    #expect(try ConfText.check(#"{"n": 9007199254740993}"#) == #"{"n":9007199254740993}"#)
  }

  @Test(arguments: ["{", "[1]", "\"x\"", "{'a': 1}", "", "{\"a\": 1,}x"])
  func `anything else is refused with an example`(text: String) {
    let error = #expect(throws: UserError.self) { try ConfText.check(text) }
    #expect(error?.status == .wrongUsage)
    #expect(error?.message.hasPrefix("--conf is") == true)
    #expect(error?.hint?.contains("--conf '{") == true)
  }
}
