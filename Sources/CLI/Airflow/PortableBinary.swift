import DagBag
import Foundation
import Processes

/// A dagrun that shall run on another machine: its files, and what that machine has to have.
///
/// What comes along is what the binary finds by its own path, the Swift runtime above all, SQLite, and what
/// `dagrun build` put beside it. OpenSSL does not: the machine's libcurl, which jobs load, has to find the OpenSSL it was
/// built with.
struct PortableBinary {
  /// Links resolved.
  let executable: String
  let libraries: [String]
  /// Names in the executable's folder: compiled DAG files and what they read. Empty of one that `dagrun build` did
  /// not make.
  let bundleNames: [String]
  /// Libraries that the other machine has to have.
  let neededLibraries: [String]
  /// `2.35`
  let neededGlibc: String?

  /// What the other machine has to have, in words.
  var needs: String {
    let glibc = neededGlibc.map { ["glibc \($0) or newer"] } ?? []
    return (glibc + neededLibraries + ["for jobs libcurl.so.4"]).joined(separator: ", ")
  }

  /// - Throws: a `UserError`, when it cannot run there.
  init(_ path: String) throws {
    guard let resolved = realpath(path, nil) else {
      throw UserError(
        .notFound, "there is no binary \(path): \(String(cString: strerror(errno)))",
        hint: "build it (make build), or name another one with --binary")
    }
    defer { free(resolved) }
    executable = String(cString: resolved)
    guard let bytes = readWholeFile(executable), ELFObject.machine(of: bytes) == .amd64 else {
      throw UserError(
        .wrongUsage, "\(path) is not a program for Linux on x86-64, and only such a one can be taken along",
        hint: "build dagrun on such a machine, and name it with --binary")
    }
    var search = LibrarySearch()
    search.add(bytes, at: executable)
    guard search.missing.isEmpty else {
      throw UserError(
        .unavailable, "\(path) needs libraries that are not on this machine: \(search.missing.joined(separator: ", "))",
        hint: "run this where that binary runs")
    }
    libraries = search.brought.sorted()
    neededLibraries = search.left.sorted()
    neededGlibc = search.glibcVersions.max { $0.lexicographicallyPrecedes($1) }
      .map { $0.map(String.init).joined(separator: ".") }
    let folder = (executable as NSString).deletingLastPathComponent
    let isBundle = FileManager.default.fileExists(atPath: folder + "/bundle/manifest.json")
    bundleNames = (isBundle ? ["bundle", "dags", "swift-backtrace"] : []).filter {
      FileManager.default.fileExists(atPath: folder + "/" + $0)
    }
  }

  /// Writes an archive with the executable, named `dagrun`, and all that comes along, beside each other.
  func pack(into path: String, staging folder: String) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try files.createSymbolicLink(atPath: folder + "/dagrun", withDestinationPath: executable)
    for library in libraries {
      try files.createSymbolicLink(
        atPath: folder + "/" + (library as NSString).lastPathComponent, withDestinationPath: library)
    }
    for name in bundleNames {
      let original = (executable as NSString).deletingLastPathComponent + "/" + name
      try files.createSymbolicLink(atPath: folder + "/" + name, withDestinationPath: original)
    }
    // The links' files, not the links.
    let names = try files.contentsOfDirectory(atPath: folder).sorted()
    let tar = try Spawn(
      "tar",
      ["--create", "--use-compress-program=gzip -1", "--dereference", "--file", path, "--directory", folder, "--"]
        + names
    ).run(timeout: 600)
    guard tar.status.isSuccess else {
      throw UserError(.unavailable, "cannot pack \(executable): tar: \(tar.text(2).trimmed)", hint: "is the disk full?")
    }
  }
}

/// Finds libraries as the loader does, and sorts them into those that come along and those that the other machine has.
private struct LibrarySearch {
  var brought: Set<String> = []
  var left: Set<String> = []
  var missing: [String] = []
  /// All that something asks for: `[2, 35]`.
  var glibcVersions: Set<[Int]> = []

  private static let systemFolders = [
    "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
  ]
  /// The C library is one whole with the machine's kernel, loader and name services.
  private static let partsOfGlibc = ["libc.so", "libm.so", "ld-linux", "libpthread.so", "libdl.so", "librt.so"]

  mutating func add(_ bytes: [UInt8], at path: String) {
    for version in ELFObject.neededVersions(of: bytes) where version.hasPrefix("GLIBC_") {
      let numbers = version.dropFirst("GLIBC_".count).split(separator: ".").compactMap { Int($0) }
      if !numbers.isEmpty { glibcVersions.insert(numbers) }
    }
    let own = (path as NSString).deletingLastPathComponent
    let folders = (ELFObject.runPath(of: bytes) ?? "").split(separator: ":").map {
      $0.replacingOccurrences(of: "$ORIGIN", with: own)
    }
    for name in ELFObject.neededLibraries(of: bytes) {
      if Self.partsOfGlibc.contains(where: { name.hasPrefix($0) }) { continue }
      add(name, ownFolders: folders)
    }
  }

  private mutating func add(_ name: String, ownFolders: [String]) {
    func path(in folders: [String]) -> String? {
      folders.map { $0 + "/" + name }.first { access($0, R_OK) == 0 }
    }
    let isSQLite = name.hasPrefix("libsqlite3.so")
    if let found = path(in: ownFolders) ?? (isSQLite ? path(in: Self.systemFolders) : nil) {
      guard brought.insert(found).inserted, let bytes = readWholeFile(found) else { return }
      add(bytes, at: found)
    } else if path(in: Self.systemFolders) != nil {
      left.insert(name)
    } else if !missing.contains(name) {
      missing.append(name)
    }
  }
}

extension String {
  /// Without white space at its ends.
  var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
