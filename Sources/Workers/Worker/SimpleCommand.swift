internal import Glibc

/// A script that is one plain command, such as `extract.sh --region eu`. It is started without a shell in front of it,
/// as make(1) does: the shell's only part would be to start up, which takes longer than many commands.
///
/// Whatever a shell could understand in another way than word by word goes to the shell, and so does a command that is
/// not found, for the shell's own message.
struct SimpleCommand: Equatable {
  /// As bash would find it.
  var executable: String
  var words: [String]

  init?(_ script: String, environment: [String: String], workingDirectory: String) {
    guard script.utf8.count < 4096, let words = Self.plainWords(script), let name = words.first else { return nil }
    // Read by bash before the script.
    if environment["BASH_ENV"] != nil || environment["SHELLOPTS"] != nil || environment["BASHOPTS"] != nil {
      return nil
    }
    if Self.shellWords.contains(name) || environment["BASH_FUNC_\(name)%%"] != nil { return nil }
    guard let path = Self.find(name, environment["PATH"], workingDirectory) else { return nil }
    executable = path
    self.words = words
  }

  /// nil when there is any character that a shell gives a meaning.
  private static func plainWords(_ script: String) -> [String]? {
    for byte in script.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: " "), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "="),
        UInt8(ascii: "@"), UInt8(ascii: "%"), UInt8(ascii: "+"):
        break
      default: return nil
      }
    }
    let words = script.split(separator: " ").map(String.init)
    // `NAME=value command` sets a variable.
    guard let first = words.first, !first.contains("=") else { return nil }
    return words
  }

  static func find(_ name: String, _ path: String?, _ workingDirectory: String) -> String? {
    if name.contains("/") {
      return isExecutable(name.hasPrefix("/") ? name : "\(workingDirectory)/\(name)") ? name : nil
    }
    guard let path else { return nil }
    for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
      // Relative to the working directory: rare enough for the shell.
      guard folder.hasPrefix("/") else { return nil }
      let candidate = "\(folder)/\(name)"
      if isExecutable(candidate) { return candidate }
    }
    return nil
  }

  /// A program of the machine's own, or a script that names its interpreter. Anything else the shell would read itself.
  private static func isExecutable(_ path: String) -> Bool {
    guard access(path, X_OK) == 0 else { return false }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var start: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
    guard read(descriptor, &start, 4) == 4 else { return false }
    let isELF = start == (0x7f, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F"))
    return isELF || (start.0 == UInt8(ascii: "#") && start.1 == UInt8(ascii: "!"))
  }

  /// Keywords and builtins of bash (`compgen -bk`), without `true` and `false`, whose programs do the same.
  private static let shellWords: Set<String> = [
    "!", ".", ":", "[", "[[", "]]", "alias", "bg", "bind", "break", "builtin", "caller", "case", "cd", "command",
    "compgen", "complete", "compopt", "continue", "coproc", "declare", "dirs", "disown", "do", "done", "echo", "elif",
    "else", "enable", "esac", "eval", "exec", "exit", "export", "fc", "fg", "fi", "for", "function", "getopts", "hash",
    "help", "history", "if", "in", "jobs", "kill", "let", "local", "logout", "mapfile", "popd", "printf", "pushd",
    "pwd", "read", "readarray", "readonly", "return", "select", "set", "shift", "shopt", "source", "suspend", "test",
    "then", "time", "times", "trap", "type", "typeset", "ulimit", "umask", "unalias", "unset", "until", "wait",
    "while", "{", "}",
  ]
}
