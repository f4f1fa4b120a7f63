import Model
import Testing

@Suite struct FileNameTests {
  @Test(arguments: ["a", "é", "한", "🧪", "👩‍👩‍👧‍👦"])
  func `a name is bounded in bytes, and long ones stay apart`(letter: String) {
    var seen: Set<String> = []
    for count in 1...300 {
      let name = "task_id=" + String(repeating: letter, count: count)
      let short = fileName(name)
      #expect(short.utf8.count <= 255)
      #expect(short == fileName(name))
      // What fitted always keeps its name, so that it is still found.
      if name.utf8.count <= 255 { #expect(short == name) }
      #expect(seen.insert(short).inserted)
    }
  }

  @Test func `names that differ only at their ends are apart`() {
    let long = String(repeating: "x", count: 400)
    #expect(fileName(long + "a") != fileName(long + "b"))
    #expect(fileName(long).hasPrefix("xxxx"))
  }
}
