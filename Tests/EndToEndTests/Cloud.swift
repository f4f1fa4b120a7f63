import Foundation
import Testing

/// A project whose commands go to an emulator of its own.
final class Cloud {
  let project: Project
  private let emulator: Started

  /// - Parameter options: of the emulator.
  init(_ files: [String: String] = [:], options: [String] = []) throws {
    project = try Project(files)
    let variables = project.path + "/variables"
    emulator = try project.start(
      ["emulator", "start", "--folder", project.path + "/cloud", "--environment-file", variables] + options)
    let isUp = emulator.wait { _ in FileManager.default.fileExists(atPath: variables) }
    try #require(isUp, "\(emulator.text)")
    for line in try String(contentsOfFile: variables, encoding: .utf8).split(separator: "\n") {
      let pair = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1).map(String.init)
      project.environment[pair[0]] = pair[1]
    }
  }

  func end() throws {
    emulator.signal(SIGTERM)
    _ = try emulator.waitForEnd()
  }

  func isEmpty() throws -> Bool { try project.run("emulator", "inventory", "--empty").code == 0 }

  func everMade(_ kind: String) throws -> Int {
    let text = try project.run("emulator", "inventory", "-o", "json").output
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    return (json?["everMade"] as? [String: Any])?[kind] as? Int ?? 0
  }

  func instance() throws -> String {
    let text = try project.run("emulator", "inventory", "-o", "json").output
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let rows = try #require(json?["instances"] as? [[String: Any]])
    let name = try #require(rows.first?["name"] as? String)
    return String(name.split(separator: "/").last ?? "")
  }
}
