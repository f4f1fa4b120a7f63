internal import Foundation

/// All that a try has printed, read bit by bit. Of a group of jobs each has a log of its own beside the try's; a line
/// of dagrun's says whose the next lines are.
package struct TryLogTail {
  private var own: LogTail
  private let folder: String
  /// How the names of the members' logs begin.
  private let prefix: String
  private var members: [Int: LogTail] = [:]
  /// The member whose lines were printed last; nil: none's.
  private var speaker: Int?
  private var isInsideLine = false

  /// - Parameter path: of the try's own log: `attempt=1.log` beside `attempt=1.job=2.log`.
  package init(path: String) {
    own = LogTail(path: path)
    let url = URL(filePath: path)
    folder = url.deletingLastPathComponent().path(percentEncoded: false)
    prefix = url.deletingPathExtension().lastPathComponent + ".job="
  }

  package var path: String { own.path }

  package var workerOutput: String? {
    get { own.workerOutput }
    set { own.workerOutput = newValue }
  }

  /// What has come since the last call.
  package mutating func rest(isRunning: Bool) -> String {
    var text = ""
    read(isRunning: isRunning) { text += $0 }
    return text
  }

  /// What has come since the last call, in parts.
  package mutating func read(isRunning: Bool, _ write: (String) -> Void) {
    own.read(isRunning: isRunning, write)
    findMembers()
    for number in members.keys.sorted() {
      guard var member = members[number] else { continue }
      member.read(isRunning: isRunning) { text in
        if speaker != number { write((isInsideLine ? "\n" : "") + "[dagrun] job \(number):\n") }
        write(text)
        speaker = number
        isInsideLine = text.last != "\n"
      }
      members[number] = member
    }
  }

  private mutating func findMembers() {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix(prefix) && name.hasSuffix(".log") {
      guard let number = Int(name.dropFirst(prefix.count).dropLast(".log".count)), members[number] == nil else {
        continue
      }
      members[number] = LogTail(path: folder + "/" + name)
    }
  }
}
