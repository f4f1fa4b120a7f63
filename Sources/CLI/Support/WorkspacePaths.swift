import Foundation
import Model

/// Where the DAG files are and where the state is kept.
struct WorkspacePaths: Hashable, Sendable {
  var home: Home
  /// Absolute. It need not exist: only commands that read DAG files mind.
  var dagsFolder: String

  /// An option counts more than its environment variable, and that more than what is found: the nearest folder `dags`
  /// from the working directory upward, with `.dagrun` beside it.
  ///
  /// What was only found must be in the hands of this user, and a home always: see `FolderTrust`.
  ///
  /// - Parameter bundledFolder: the one beside a binary that `dagrun build` made, which takes the place of the nearest
  ///   one. The home of such a binary may be anywhere: where nothing says so, it is in the working directory.
  static func find(
    home: String?, dagsFolder: String?, environment: [String: String], workingDirectory: String,
    bundledFolder: String? = nil
  ) throws -> WorkspacePaths {
    func given(_ option: String?, _ variable: String) -> String? {
      let value = option ?? environment[variable]
      return value.flatMap { $0.isEmpty ? nil : absolute($0, environment: environment, from: workingDirectory) }
    }
    let givenHome = given(home, "DAGRUN_HOME")
    let givenFolder = given(dagsFolder, "DAGRUN_DAGS_FOLDER")
    let nearest = nearestDagsFolder(from: workingDirectory)

    func places(_ home: String, _ folder: String) throws -> WorkspacePaths {
      if folder == nearest, givenFolder == nil { try checkFound(folder, from: workingDirectory) }
      let home = Home(path: home)
      try home.checkTrust()
      return WorkspacePaths(home: home, dagsFolder: folder)
    }
    if let givenHome {
      let folder = givenFolder ?? bundledFolder ?? nearest ?? parent(of: givenHome) + "/dags"
      return try places(givenHome, folder)
    }
    guard let folder = givenFolder ?? nearest else {
      if let bundledFolder {
        return try places(workingDirectory + "/.dagrun", bundledFolder)
      }
      throw noFolder(workingDirectory)
    }
    return try places(parent(of: folder) + "/.dagrun", givenFolder ?? bundledFolder ?? folder)
  }

  static func noFolder(_ workingDirectory: String) -> UserError {
    UserError(
      .wrongUsage, "there is no folder 'dags' in \(workingDirectory) or above it",
      hint: "make one (mkdir dags), go to your project, or name its folder with --dags-folder or DAGRUN_DAGS_FOLDER")
  }

  /// Nobody has named this folder, so that somebody else may have put it in the way.
  private static func checkFound(_ folder: String, from workingDirectory: String) throws {
    var problem = FolderTrust.problem(with: folder).map { "it \($0)" }
    var between = workingDirectory
    while problem == nil {
      problem = FolderTrust.problem(with: between.isEmpty ? "/" : between, isParent: true).map { "\(between) \($0)" }
      if between == parent(of: folder) || between.isEmpty || between == "/" { break }
      between = parent(of: between)
    }
    guard let problem else { return }
    throw UserError(
      .wrongUsage, "will not run the DAG files of \(folder), which was only found: \(problem)",
      hint: "if you trust it, name it: dagrun --dags-folder \(ShellWord.quote(folder)) …, or set DAGRUN_DAGS_FOLDER")
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
