import DagBag
import Foundation
import Testing

/// Each file in `Tests/BrokenDAGs` is wrong in one way, and says in its first line who must find out, in which line,
/// with which words:
///
///     // expect: compiler 12 "cannot find 'dss'"
///     // expect: description - "ended the process"
struct BrokenDAG: CustomTestStringConvertible, Sendable {
  let path: String
  let expectation: String

  var testDescription: String { URL(filePath: path).lastPathComponent }

  static let all: [BrokenDAG] = {
    let folder = repository + "Tests/BrokenDAGs"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().map { name in
      let text = (try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)) ?? ""
      return BrokenDAG(path: folder + "/" + name, expectation: text.split(separator: "\n").first.map(String.init) ?? "")
    }
  }()

  /// All files in one pass, as they would be in a user's folder.
  static let contents: Result<LoadedDAGs, any Error> = Result {
    let folder = try TestFolder()
    var options = folder.bag(describeTimeoutSeconds: 10).options
    options.dagsFolder = repository + "Tests/BrokenDAGs"
    return try DagBag(options).load(pools: ["default_pool"])
  }
}

@Suite struct BrokenDAGTests {
  @Test(arguments: BrokenDAG.all)
  func `a wrong file says what is wrong, and where`(broken: BrokenDAG) throws {
    let expected = try #require(
      broken.expectation.wholeMatch(of: #/// expect: (compiler|description|warning) (\d+|-) "(.*)"/#))
    let contents = try BrokenDAG.contents.get()
    let found = (expected.1 == "warning" ? contents.warnings : contents.importErrors).filter { $0.path == broken.path }
    let error = try #require(found.first, "nothing was found")
    #expect(found.count == 1, "\(found)")
    #expect(error.stage == (expected.1 == "compiler" ? .compile : .describe), "\(error)")
    #expect(error.line == Int(expected.2), "\(error)\n\(error.details ?? "")")
    let words = expected.3.replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
    #expect(error.message.contains(words), "\(error)")
    #expect(error.stage == .describe || error.details?.contains(broken.path) == true, "the compiler's own words")
  }

  @Test func `there are enough of them, and only those with warnings are used`() throws {
    #expect(BrokenDAG.all.count >= 40)
    let warned = BrokenDAG.all.filter { $0.expectation.hasPrefix("// expect: warning") }.map(\.path)
    #expect(try BrokenDAG.contents.get().files.map(\.path) == warned)
  }
}
