import Engine
import Foundation

/// Where the DAG files are and where the state is kept.
struct Places: Hashable, Sendable {
  var home: Home
  /// Absolute. It need not exist: only commands that read DAG files mind.
  var dagsFolder: String

  /// An option counts more than its environment variable, and that more than what is found: the nearest folder `dags`
  /// from the working directory upward, with `.dagrun` beside it.
  ///
  /// - Parameter bundledFolder: the one beside a binary that `dagrun build` made, which takes the place of the nearest one.
  ///   The home of such a binary may be anywhere: where nothing says so, it is in the working directory.
  static func find(
    home: String?, dagsFolder: String?, environment: [String: String], workingDirectory: String,
    bundledFolder: String? = nil
  ) throws -> Places {
    func given(_ option: String?, _ variable: String) -> String? {
      let value = option ?? environment[variable]
      return value.flatMap { $0.isEmpty ? nil : absolute($0, environment: environment, from: workingDirectory) }
    }
    let givenHome = given(home, "DAGRUN_HOME")
    let givenFolder = given(dagsFolder, "DAGRUN_DAGS_FOLDER")
    let nearest = nearestDagsFolder(from: workingDirectory)

    if let givenHome {
      let folder = givenFolder ?? bundledFolder ?? nearest ?? parent(of: givenHome) + "/dags"
      return Places(home: Home(path: givenHome), dagsFolder: folder)
    }
    guard let folder = givenFolder ?? nearest else {
      if let bundledFolder {
        return Places(home: Home(path: workingDirectory + "/.dagrun"), dagsFolder: bundledFolder)
      }
      throw Complaint(
        .wrongUsage, "there is no folder 'dags' in \(workingDirectory) or above it",
        hint: "make one (mkdir dags), go to your project, or name its folder with --dags-folder or DAGRUN_DAGS_FOLDER")
    }
    return Places(home: Home(path: parent(of: folder) + "/.dagrun"), dagsFolder: givenFolder ?? bundledFolder ?? folder)
  }

  private static func nearestDagsFolder(from directory: String) -> String? {
    var directory = directory
    while true {
      let candidate = directory == "/" ? "/dags" : directory + "/dags"
      var isFolder: ObjCBool = false
      if FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder), isFolder.boolValue {
        return candidate
      }
      if directory == "/" || directory.isEmpty { return nil }
      directory = parent(of: directory)
    }
  }

  static func absolute(_ path: String, environment: [String: String], from workingDirectory: String) -> String {
    var path = path
    if path == "~" || path.hasPrefix("~/"), let user = environment["HOME"] { path = user + path.dropFirst() }
    if !path.hasPrefix("/") { path = workingDirectory + "/" + path }
    // Only what the text says: a link in the path stays a link.
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "" }
    return String(path[..<slash])
  }
}
