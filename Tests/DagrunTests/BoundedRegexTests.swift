import Testing

@testable import Dagrun

@Suite struct BoundedRegexTests {
  @Test(arguments: [
    ("a|ab", "ab", true), ("a|ab", "abc", false), ("^a$", "a", true), ("", "", true), ("", "a", false),
    ("(?x) a b # both", "ab", true), ("[0-9]{3}", "123", true), ("é", "é", true), (".", "😀", true),
  ])
  func `the whole text has to match`(pattern: String, text: String, isMatch: Bool) throws {
    #expect(try #require(BoundedRegex(pattern)).matchesWhole(text) == isMatch)
  }

  @Test(arguments: [
    ("b", "abc", true), ("", "", true), ("", "abc", true), ("^b", "abc", false), ("^a", "abc", true),
    ("c$", "abc", true),
    ("b\nc", "a\nb\nc", true), ("(?x) b # letter", "abc", true), ("(?i)B", "abc", true), ("(?<=a)b", "abc", true),
    ("(?m)^b", "a\nb", true), ("a|x", "bcx", true), ("d", "abc", false), ("é", "cafe\u{301}", false),
  ])
  func `some part of the text has to match`(pattern: String, text: String, isMatch: Bool) throws {
    #expect(try #require(BoundedRegex(pattern)).isFound(in: text) == isMatch)
  }

  @Test(arguments: ["(", "a)(b", "[", "*", "a{2,1}", "\\"])
  func `what is not a regular expression is none`(pattern: String) { #expect(BoundedRegex(pattern) == nil) }

  @Test(arguments: ["(a+)+b", "(a|a)*c", "(a*)*c", "(.*a){20}c", "(a|aa)+$x", "(?:a?){40}a{40}b"])
  func `what backtracks without end is refused`(pattern: String) throws {
    let regex = try #require(BoundedRegex(pattern))
    let text = String(repeating: "a", count: 60)
    #expect(throws: BoundedRegex.TooManySteps.self) { try regex.matchesWhole(text + "!") }
    #expect(throws: BoundedRegex.TooManySteps.self) { try regex.isFound(in: text) }
    #expect(throws: BoundedRegex.TooManySteps.self) {
      try regex.matching((0..<1000).map { "\(text)\($0)" }, whole: true)
    }
  }

  @Test func `a long text is no reason to refuse a simple expression`() throws {
    let text = String(repeating: "ab", count: 100_000)
    #expect(try #require(BoundedRegex("(a|b)*")).matchesWhole(text))
    #expect(try #require(BoundedRegex("[ab]+")).matchesWhole(text))
    #expect(try #require(BoundedRegex("c")).isFound(in: text) == false)
    #expect(try #require(BoundedRegex("ba$")).isFound(in: text + "a"))
    #expect(try #require(BoundedRegex("[ab]+")).matchesWhole(text + "!") == false)
    #expect(try #require(BoundedRegex("a")).matching((0..<100_000).map { "task_\($0)" }, whole: false).count == 100_000)
  }

  @Test func `a conf that a pattern cannot be tried on is refused with words`() {
    var dag = DAGDescription(id: "d", location: SourceLocation(file: "", line: 0))
    var parameter = ParameterDescription(name: "p", type: .string, defaultValue: nil)
    parameter.pattern = "(a+)+b"
    dag.parameters = [parameter]
    let error = #expect(throws: ParameterError.self) {
      try dag.resolveParameters(conf: #"{"p": "\#(String(repeating: "a", count: 40))c"}"#)
    }
    #expect(error?.description.contains("too many steps") == true)
    #expect(throws: Never.self) { try dag.resolveParameters(conf: #"{"p": "aab"}"#) }
  }
}
