package import Glibc

/// Everything below a folder but what is hidden. Links are followed, and each folder and file is there once, however
/// many names lead to it: no circle of links makes the tree larger than what is on the disk.
///
/// What is really there comes before what a link leads to, so that a file has the path that it has without links.
package struct FolderTree: Sendable {
  package struct File: Hashable, Sendable {
    package var name: String
    package var path: String
    package var kind: FileKind
    package var identity: FileIdentity
    package var size: Int
    package var modified: Modified
  }

  package struct Modified: Hashable, Sendable {
    package var seconds: Int
    package var nanoseconds: Int
  }

  package struct Folder: Sendable {
    package var path: String
    package var identity: FileIdentity
    package var modified: Modified
    /// Numbers in `folders`, and all else that is in it, sorted by the bytes of their names.
    package var folders: [Int] = []
    package var files: [File] = []
    /// It was only looked at, because the caller did not want what is below its folders.
    package var isLeaf = false
    package var problem: FileProblem?
  }

  /// Another name of something that is in the tree already.
  package struct Repeat: Hashable, Sendable {
    package var path: String
    package var file: File?
    /// Where it is; nil when it is above the tree.
    package var original: String?
    /// Number of the folder that has the name.
    package var folder: Int
  }

  /// The first is the folder itself.
  package private(set) var folders: [Folder] = []
  package private(set) var repeats: [Repeat] = []
  /// Paths, with `\xff` for bytes that are not UTF-8, of what cannot be named.
  package private(set) var unnameable: [(path: String, isFolder: Bool)] = []
  /// There was more than any folder of DAG files has.
  package private(set) var isCutShort = false

  private static let mostEntries = 200_000
  private var entries = 0
  private var seen: [FileIdentity: String?] = [:]
  private var links: [(path: String, name: String, folder: Int)] = []

  /// - Parameter descends: whether to look into the folders of a folder, by the names that are in it. The first
  ///   folder's always are.
  package init(_ path: String, descends: (_ names: [String]) -> Bool = { _ in true }) throws(FileProblem) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileProblem(missing: path, code: errno) }
    // A link to a folder that holds this one leads back into it.
    var above = path
    for _ in 0..<1_000 {
      above += "/.."
      var parent = stat()
      guard stat(above, &parent) == 0 else { break }
      let isNew = seen.updateValue(nil, forKey: FileIdentity(parent)) == nil
      if !isNew { break }
    }
    var waiting = [add(path, status, to: nil)]
    while true {
      while let folder = waiting.popLast() { waiting += list(folder, descends).reversed() }
      if let problem = folders[0].problem { throw problem }
      guard !links.isEmpty else { break }
      if let folder = follow(links.removeFirst()) { waiting.append(folder) }
    }
    let paths = folders.map(\.path)
    for index in folders.indices {
      folders[index].files.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      folders[index].folders.sort { paths[$0].utf8.lexicographicallyPrecedes(paths[$1].utf8) }
    }
  }

  private mutating func add(_ path: String, _ status: stat, to parent: Int?) -> Int {
    let identity = FileIdentity(status)
    seen[identity] = .some(path)
    folders.append(Folder(path: path, identity: identity, modified: Modified(status)))
    if let parent { folders[parent].folders.append(folders.count - 1) }
    return folders.count - 1
  }

  /// - Returns: the folders in it, to be listed.
  private mutating func list(_ index: Int, _ descends: ([String]) -> Bool) -> [Int] {
    let path = folders[index].path
    guard let names = names(in: index) else { return [] }
    folders[index].isLeaf = index > 0 && !descends(names)
    var found: [Int] = []
    for name in names {
      let below = path + "/" + name
      var status = stat()
      guard lstat(below, &status) == 0 else { continue }
      if status.st_mode & S_IFMT == S_IFLNK {
        links.append((below, name, index))
      } else if status.st_mode & S_IFMT == S_IFDIR {
        guard !folders[index].isLeaf else { continue }
        // A mount may show a folder twice.
        if let original = seen[FileIdentity(status)] {
          repeats.append(Repeat(path: below, file: nil, original: original, folder: index))
        } else {
          found.append(add(below, status, to: index))
        }
      } else {
        add(File(name, below, status), to: index)
      }
    }
    return found
  }

  private mutating func names(in index: Int) -> [String]? {
    let path = folders[index].path
    guard let directory = opendir(path) else {
      folders[index].problem = FileProblem(missing: path, code: errno)
      return nil
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      guard bytes.first != UInt8(ascii: ".") else { continue }
      entries += 1
      guard entries <= Self.mostEntries else {
        isCutShort = true
        break
      }
      if let name = String(validating: bytes, as: UTF8.self) {
        names.append(name)
      } else {
        unnameable.append((path + "/" + escaped(bytes), entry.pointee.d_type == UInt8(DT_DIR)))
      }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private mutating func add(_ file: File, to folder: Int) {
    // In a folder that is one module or package the same file may stand twice: it belongs to each.
    if !folders[folder].isLeaf, file.kind == .regular, let original = seen[file.identity] {
      repeats.append(Repeat(path: file.path, file: file, original: original, folder: folder))
      return
    }
    if seen[file.identity] == nil { seen[file.identity] = .some(file.path) }
    folders[folder].files.append(file)
  }

  /// - Returns: the folder it leads to, when that is a new one.
  private mutating func follow(_ link: (path: String, name: String, folder: Int)) -> Int? {
    var status = stat()
    guard stat(link.path, &status) == 0 else {
      // Reading it says why.
      if lstat(link.path, &status) == 0 { folders[link.folder].files.append(File(link.name, link.path, status)) }
      return nil
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      add(File(link.name, link.path, status), to: link.folder)
      return nil
    }
    guard !folders[link.folder].isLeaf else { return nil }
    if let original = seen[FileIdentity(status)] {
      repeats.append(Repeat(path: link.path, file: nil, original: original, folder: link.folder))
      return nil
    }
    return add(link.path, status, to: link.folder)
  }
}

/// Which file it is, whatever its names.
package struct FileIdentity: Hashable, Sendable {
  package var device: UInt
  package var inode: UInt

  package init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
  }

  /// nil when there is nothing at the path.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// Of what is open.
  package init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }
}

extension FolderTree.Modified {
  init(_ status: stat) {
    seconds = status.st_mtim.tv_sec
    nanoseconds = status.st_mtim.tv_nsec
  }
}

extension FolderTree.File {
  fileprivate init(_ name: String, _ path: String, _ status: stat) {
    self.init(
      name: name, path: path, kind: FileKind(mode: status.st_mode), identity: FileIdentity(status),
      size: Int(status.st_size), modified: FolderTree.Modified(status))
  }
}

/// Bytes that are not UTF-8, and control characters, as `\xff`.
private func escaped(_ bytes: [UInt8]) -> String {
  var rest = bytes[...]
  var text = ""
  while let first = rest.first {
    let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    if let part = String(validating: rest.prefix(length), as: UTF8.self), first >= 0x20, first != 0x7F {
      text += part
      rest = rest.dropFirst(length)
    } else {
      text += "\\x" + (first < 16 ? "0" : "") + String(first, radix: 16)
      rest = rest.dropFirst()
    }
  }
  return text
}
