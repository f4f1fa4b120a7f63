internal import DagBag
internal import Processes

/// Names, sizes and times of all files of a folder: equal, if none was changed.
struct FolderStamp: Equatable {
  private var entries: [Entry] = []

  private struct Entry: Equatable {
    var path: String
    var identity: FileIdentity?
    var size: Int
    var modified: FolderTree.Modified?
  }

  /// nil when there is no such folder.
  init?(_ folder: String) {
    guard let tree = try? FolderTree(folder) else { return nil }
    for folder in tree.folders {
      entries.append(Entry(path: folder.path, identity: folder.identity, size: 0, modified: folder.modified))
      for file in folder.files {
        entries.append(Entry(path: file.path, identity: file.identity, size: file.size, modified: file.modified))
      }
    }
    for other in tree.repeats { entries.append(Entry(path: other.path, identity: nil, size: 0, modified: nil)) }
  }
}
