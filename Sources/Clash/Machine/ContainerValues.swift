internal import Dagrun
internal import Foundation

/// What a container can be told at all, checked before anything is paid.
enum ContainerValues {
  /// The kernel takes no longer argument and no longer `NAME=VALUE`.
  static let longestBytes = 131_071

  static func check(_ spec: JobSpec, _ command: ContainerCommand) throws(JobMachineError) {
    guard !spec.config.image.isEmpty, !spec.config.image.hasPrefix("-"),
      !spec.config.image.utf8.contains(where: { $0 <= 32 || $0 == 127 })
    else {
      throw JobMachineError("“\(spec.config.image.prefix(200))” is not an image", hint: "write HOST/PATH/NAME:TAG")
    }
    for argument in command.arguments { try check(argument, "an argument of the command", isLong: true) }
    if let entrypoint = command.entrypoint { try check(entrypoint, "the entry point") }
    if let size = spec.config.sharedMemorySize { try check(size, "the size of shared memory") }
    for (name, value) in spec.allEnvironment {
      try checkName(name)
      try check("\(name)=\(value)", "the environment variable \(name)", isLong: true)
    }
    for name in spec.config.secrets.keys {
      try checkName(name)
      guard spec.allEnvironment[name] == nil else {
        throw JobMachineError("\(name) is both an environment variable and a secret", hint: "keep one of them")
      }
    }
    var seen: Set<String> = []
    for directory in Array(spec.mounts.values) + Array(spec.outputs.keys) {
      try checkDirectory(directory)
      guard seen.insert(directory).inserted else {
        throw JobMachineError(
          "the directory \(directory) is given twice", hint: "a mount and an output each need one of their own")
      }
    }
  }

  private static func check(_ value: String, _ what: String, isLong: Bool = false) throws(JobMachineError) {
    guard !value.utf8.contains(0) else {
      throw JobMachineError("\(what) has a zero byte, which no program can be given")
    }
    guard !isLong || value.utf8.count <= longestBytes else {
      throw JobMachineError(
        "\(what) has \(value.utf8.count) bytes, and the kernel takes \(longestBytes)",
        hint: "put it into a bucket and mount that, or into a script")
    }
  }

  private static func checkName(_ name: String) throws(JobMachineError) {
    guard !name.isEmpty, !name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") }) else {
      throw JobMachineError("“\(name.prefix(200))” is not the name of an environment variable")
    }
    guard name != "DAGRUN_OUTPUT" else {
      throw JobMachineError("dagrun itself sets DAGRUN_OUTPUT", hint: "choose another name")
    }
  }

  private static func checkDirectory(_ path: String) throws(JobMachineError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    guard path.hasPrefix("/"), !parts.isEmpty, !parts.contains(where: { $0 == "." || $0 == ".." }) else {
      throw JobMachineError("“\(path.prefix(200))” is not a directory in a container", hint: "write a path from /")
    }
    // docker reads mounts as a line of CSV, and drops the first of these two.
    guard !path.utf8.contains(0), !path.contains("\r\n"), !path.hasSuffix("\r") else {
      throw JobMachineError("the directory “\(path.prefix(200))” has a zero byte or a line break of Windows")
    }
    guard parts[0] != "dagrun" else {
      throw JobMachineError(
        "the directory \(path) is dagrun's own in the container", hint: "choose one outside /dagrun")
    }
  }
}
