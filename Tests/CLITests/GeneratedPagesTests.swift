import Foundation
import Testing

@testable import CLI

/// The reference that is committed is what the commands say: a snapshot of every help text. `make docs` writes it.
@Suite struct GeneratedPagesTests {
  private static let docs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs")

  @Test func `docs/command-line.md is up to date`() throws {
    let committed = try String(contentsOf: Self.docs.appending(path: "command-line.md"), encoding: .utf8)
    #expect(try MarkdownReference.write(.ofThisTool()) == committed, "run 'make docs'")
  }

  @Test func `docs/dagrun.1 is up to date`() throws {
    let committed = try String(contentsOf: Self.docs.appending(path: "dagrun.1"), encoding: .utf8)
    #expect(try ManualPage.write(.ofThisTool()) == committed, "run 'make docs'")
  }

  @Test func `docs/exit-codes.md has a row for every exit status`() throws {
    let text = try String(contentsOf: Self.docs.appending(path: "exit-codes.md"), encoding: .utf8)
    for status in CommandExit.allCases { #expect(text.contains("| \(status.rawValue) |")) }
  }
}
