import Testing

@testable import CLI

struct ShellWordTests {
  @Test(arguments: [
    ("plain/word-1.2", "plain/word-1.2"), ("", "''"), ("two words", "'two words'"), ("it's", #"'it'\''s'"#),
    // One character to Swift, a quote and an accent to a shell.
    ("'\u{301}", "''\\''\u{301}'"),
  ])
  func `a value is one word for a shell`(value: String, word: String) {
    #expect(Array(ShellWord.quote(value).utf8) == Array(word.utf8))
  }
}
