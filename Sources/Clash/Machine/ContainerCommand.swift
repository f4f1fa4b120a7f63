internal import Dagrun
internal import Foundation

/// A job's command in docker's words: which entry point, with which arguments, and a script that lies in the container
/// at `/dagrun/NAME`.
struct ContainerCommand: Hashable {
  /// nil: the image's own.
  var entrypoint: String?
  /// After the image's name; they replace the image's own.
  var arguments: [String]
  var script: Script?

  struct Script: Hashable {
    var name: String
    var contents: Data
  }

  /// The file system of the VM forbids to execute the script itself, so its interpreter is named as the kernel would.
  ///
  /// - Parameter entrypoint: the user's; it gets the interpreter and the script as its arguments.
  init(_ command: JobCommand, entrypoint: String?) throws(JobMachineError) {
    switch command {
    case .image:
      self.init(entrypoint: entrypoint, arguments: [])
    case .arguments(let list):
      self.init(entrypoint: entrypoint, arguments: list)
    case .script(let text):
      self.init(
        Script(name: "script", contents: Data(text.utf8)), shell: ["/bin/sh"], arguments: [], entrypoint: entrypoint)
    case .file(let path, let contents, let list):
      let name = Self.fileName(path)
      guard let shell = Self.interpreters[Self.extension(of: name)] ?? Self.firstLine(of: contents) else {
        throw JobMachineError(
          "it is not known what runs the script \(name)",
          hint: "begin it with a line like #!/usr/bin/env python3, or end its name in .sh, .bash or .py")
      }
      self.init(Script(name: name, contents: contents), shell: shell, arguments: list, entrypoint: entrypoint)
    }
  }

  private init(entrypoint: String?, arguments: [String]) {
    self.entrypoint = entrypoint
    self.arguments = arguments
  }

  private init(_ script: Script, shell: [String], arguments: [String], entrypoint: String?) {
    let interpreter = Self.firstLine(of: script.contents) ?? shell
    let line = interpreter + ["/dagrun/\(script.name)"] + arguments
    self.entrypoint = entrypoint ?? line[0]
    self.arguments = entrypoint == nil ? Array(line.dropFirst()) : line
    self.script = script
  }

  /// Of `#!/usr/bin/env -S python -u`: the program, and the rest of the line as one argument, as the kernel reads it.
  static func firstLine(of contents: Data) -> [String]? {
    guard contents.starts(with: Array("#!".utf8)) else { return nil }
    let line = contents.dropFirst(2).prefix { $0 != 10 }
    let blank: Set<UInt8> = [9, 32]
    let trimmed = line.drop { blank.contains($0) }
    let program = trimmed.prefix { !blank.contains($0) }
    guard !program.isEmpty else { return nil }
    var rest = trimmed.dropFirst(program.count).drop { blank.contains($0) }
    while let last = rest.last, blank.contains(last) { rest.removeLast() }
    return ([program] + (rest.isEmpty ? [] : [rest])).map { String(decoding: $0, as: UTF8.self) }
  }

  /// By extension; a name without one is a shell script.
  private static let interpreters = [
    "": ["/bin/sh"], "sh": ["/bin/sh"], "bash": ["bash"], "zsh": ["zsh"], "py": ["python3"], "pl": ["perl"],
    "rb": ["ruby"], "r": ["Rscript"], "js": ["node"], "mjs": ["node"], "jl": ["julia"], "lua": ["lua"], "php": ["php"],
  ]

  private static func `extension`(of name: String) -> String {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }

  /// The last part of the path; never one of the names that dagrun uses itself.
  private static func fileName(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let taken: Set<String> = ["", ".", "..", "output", "mount-entry", "mount-failure"]
    return taken.contains(name) ? "script-\(name)" : name
  }
}
