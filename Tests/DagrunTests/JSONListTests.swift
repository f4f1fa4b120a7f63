import Dagrun
import Testing

@Suite struct JSONListTests {
  private func elements(_ json: String) -> [String]? {
    JSONList(json).map { list in (0..<list.count).map { list[$0] } }
  }

  @Test(arguments: [
    ("[]", []), (" [ ] ", []), ("[1]", ["1"]), ("[1, 2.5 ,null]", ["1", "2.5", "null"]),
    (#"[ "a,b" , "]" , "\"\\" ]"#, [#""a,b""#, #""]""#, #""\"\\""#]),
    (#"[[1,2],{"a":[3,{"b":","}]} ,[]]"#, ["[1,2]", #"{"a":[3,{"b":","}]}"#, "[]"]),
    (#"["é","日本"]"#, [#""é""#, #""日本""#]),
  ])
  func `elements are found as they stand`(json: String, expected: [String]) { #expect(elements(json) == expected) }

  @Test(arguments: ["1", "\"a\"", "{}", "null", "true", "", #""[INFO] done""#, #""[1, 2""#])
  func `what is no list has no elements`(json: String) { #expect(elements(json) == nil) }

  /// `output(as:)` of a shell task reads what the task wrote.
  @Test func `a text that is a list has the elements of that list`() {
    #expect(elements(#""[1, \"a\"]""#) == ["1", "\"a\""])
  }
}
