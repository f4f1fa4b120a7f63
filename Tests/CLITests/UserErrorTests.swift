import Control
import Engine
import Foundation
import Storage
import Testing

@testable import CLI

@Suite struct UserErrorTests {
  @Test(arguments: [
    (ControlError.Kind.notFound, Int32(3)), (.invalid, 2), (.importError, 4), (.nothingToDo, 1), (.unavailable, 5),
    (.held, 5), (.gone, 5),
  ])
  func `a refusal's kind is its exit code`(kind: ControlError.Kind, code: Int32) {
    let userError = UserError(explaining: ControlError(kind, "what failed\nwhat to do"))
    #expect(userError.status.rawValue == code)
    #expect(userError.text == "error: what failed\n  what to do\n")
  }

  @Test func `a database error says what, on which file, and what next`() throws {
    let folder = try TestFolder()
    let path = folder.path + "/dagrun.db"
    try Data("this is not a database, and longer than the header that SQLite reads first, so it can tell ...".utf8)
      .write(to: URL(filePath: path))
    let error = #expect(throws: StoreError.self) { try StoreReader(path: path) }
    let userError = UserError(explaining: try #require(error))
    #expect(userError.status == .unavailable)
    #expect(userError.message.contains(path))
    #expect(userError.hint != nil)
  }

  @Test func `a file that cannot be written is named, with the reason`() {
    let error = #expect(throws: CocoaError.self) { try Data().write(to: URL(filePath: "/proc/none/file")) }
    let userError = UserError(explaining: error!)
    #expect(userError.status == .unavailable)
    #expect(userError.message.contains("/proc/none/file"))
  }

  @Test func `anything else is said as it is, with a next step`() {
    struct Odd: Error, CustomStringConvertible { var description: String { "the moon is full" } }
    let userError = UserError(explaining: Odd())
    #expect(userError.status == .unavailable)
    #expect(userError.text.hasPrefix("error: the moon is full\n"))
    #expect(userError.hint != nil)
  }
}
