import Dagrun
import Foundation
import Processes
import Yams

/// `--spec FILE|-`: a job in JSON or YAML.
enum JobSpecFile {
  /// Project and image are empty where the file does not name them: options may.
  static func read(_ path: String) throws -> JobSpec {
    let text = String(decoding: try contents(of: path), as: UTF8.self)
    // Scripts lie beside the spec.
    let folder = path == "-" ? "." : URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
    let reader: ScriptFileReader = { name in
      try contents(of: name.hasPrefix("/") ? name : folder + "/" + name)
    }
    do {
      return try parse(text, readingFilesBy: reader)
    } catch let error as DecodingError {
      throw UserError(
        .wrongUsage, "\(source(path)) is not a job: \(error.inWords)",
        hint: "one is shown by: dagrun job render --image debian --part spec -- echo hello")
    } catch let error as YamlError {
      throw UserError(.wrongUsage, "\(source(path)) is not YAML: \(error)")
    }
  }

  static func parse(_ text: String, readingFilesBy reader: @escaping ScriptFileReader) throws -> JobSpec {
    // JSON by its own reader, which knows a number from a text.
    if text.first(where: { !$0.isWhitespace }) == "{" {
      let decoder = JSONDecoder()
      decoder.userInfo[.readsScriptFiles] = reader
      decoder.userInfo[.isCompletedLater] = true
      return try decoder.decode(JobSpec.self, from: Data(text.utf8))
    }
    return try YAMLDecoder().decode(
      JobSpec.self, from: text, userInfo: [.readsScriptFiles: reader, .isCompletedLater: true])
  }

  /// Of a file, or of standard input for `-`.
  static func contents(of path: String) throws -> Data {
    if path == "-" { return try FileHandle.standardInput.readToEnd() ?? Data() }
    guard let bytes = readWholeFile(path) else {
      throw UserError(.wrongUsage, "cannot read \(path): \(String(cString: strerror(errno)))")
    }
    return Data(bytes)
  }

  private static func source(_ path: String) -> String { path == "-" ? "the standard input" : path }
}
