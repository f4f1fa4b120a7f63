internal import Foundation
internal import Processes

/// `docker`, as far as a job's VM needs it. Words and exit statuses are docker's.
struct DockerCommand {
  let containers: ContainerManager
  let request: CommandRequest
  let connection: CommandConnection

  func run() {
    guard let (verb, words) = Self.verb(of: request) else { return fail(1, "docker: no command") }
    let options = words.filter { $0.hasPrefix("-") }
    switch verb {
    case "run": runContainer(words)
    case "pull": pull(words.last ?? "")
    case "inspect", "image inspect": inspect(words, images: verb != "inspect")
    case "logs": logs(words, options)
    case "kill": kill(words)
    case "stop": stop(words)
    case "rm": remove(Self.names(words, []), options)
    case "wait": wait(Self.names(words, []))
    case "ps", "ls": list(words, options)
    case "images": done(containers.images.sorted().map { $0 + "\n" }.joined())
    case "version", "--version", "-v": version(words)
    case "info": done("Server Version: dagrun stand-in\nOperating System: this machine's\n")
    case "rmi", "login", "logout", "system", "volume", "network", "tag": done("")
    default:
      fail(1, "docker: '\(verb)' is not emulated: only run, pull, inspect, logs, kill, stop, rm, wait and ps are")
    }
  }

  /// The command, and its words; options before it are of no meaning here.
  static func verb(of request: CommandRequest) -> (String, [String])? {
    var words = request.arguments
    // Where configuration and daemon are.
    while let first = words.first, first.hasPrefix("-"), first != "--version", first != "-v" {
      words.removeFirst(
        ["--config", "--host", "-H", "--context", "-c", "--log-level", "-l"].contains(first) ? min(2, words.count) : 1)
    }
    if words.first == "container", words.count > 1 { words.removeFirst() }
    if words.first == "image", words.count > 1 {
      words[0...1] = [words[1] == "rm" ? "rmi" : words[1] == "inspect" ? "image inspect" : words[1]]
    }
    return words.isEmpty ? nil : (words.removeFirst(), words)
  }

  private func done(_ text: String) {
    connection.output(text)
    connection.finish(0)
  }

  private func fail(_ status: Int32, _ message: String) {
    connection.error(message + "\n")
    connection.finish(status)
  }

  private func runContainer(_ words: [String]) {
    do {
      let spec = try ContainerSpec(parsing: words, of: request)
      if !containers.images.contains(spec.image) {
        connection.error("Unable to find image '\(spec.image)' locally\n")
        if let reason = containers.pull(spec.image) {
          throw DockerUsageError(message: "Error response from daemon: \(reason)")
        }
      }
      guard !spec.words.isEmpty else {
        throw DockerUsageError(message: "Error response from daemon: no command specified (an emulated image has none)")
      }
      let record = try containers.create(spec)
      // Signals are the container's, from the moment it is there.
      connection.whenSignaled = { [containers] in if !spec.isDetached { _ = containers.signal(record.id, $0) } }
      try containers.start(record.id, attached: spec.isDetached ? nil : connection) { failure in
        if let failure {
          let error = containers.records[record.id]?.error ?? failure.message
          containers.whenEnded(record.id) { _ in
            fail(
              failure.status,
              "docker: Error response from daemon: \(error)\n\nRun 'docker run --help' for more information")
          }
        } else if spec.isDetached {
          done(record.id + "\n")
        } else {
          containers.whenEnded(record.id) { connection.finish($0) }
        }
      }
    } catch let error as DockerUsageError {
      fail(125, "docker: \(error.message)\n\nRun 'docker run --help' for more information")
    } catch {
      fail(125, "docker: Error response from daemon: \(error)")
    }
  }

  private func pull(_ image: String) {
    if let reason = containers.pull(image) { return fail(1, "Error response from daemon: \(reason)") }
    done("\(image): an emulated image, which is this machine's userland\n")
  }

  private func inspect(_ words: [String], images: Bool) {
    let format = Self.value(words, ["--format", "-f"])
    let names = Self.names(words, ["--format", "-f", "--type"])
    var found: [[String: Any]] = []
    var missing: [String] = []
    for name in names {
      if !images, let record = containers.find(name) {
        found.append(record.inspected(pid: containers.pid(record.id)))
      } else if containers.images.contains(name) {
        found.append([
          "Id": "sha256:" + name, "RepoTags": [name], "Config": ["Entrypoint": [String](), "Cmd": [String]()],
        ])
      } else {
        missing.append(images ? "Error response from daemon: No such image: \(name)" : "Error: No such object: \(name)")
      }
    }
    do {
      if let format {
        for value in found { connection.output(try InspectFormat.apply(format, to: value) + "\n") }
      } else {
        connection.output(found.isEmpty ? "[]\n" : try InspectFormat.json(found, pretty: true) + "\n")
      }
      missing.isEmpty ? connection.finish(0) : fail(1, missing.joined(separator: "\n"))
    } catch let error as DockerUsageError {
      fail(1, error.message)
    } catch {
      fail(1, "\(error)")
    }
  }

  private func logs(_ words: [String], _ options: [String]) {
    guard let record = existing(Self.names(words, ["--tail", "-n", "--since", "--until"]).first) else { return }
    let limit = Self.value(words, ["--tail", "-n"]).flatMap { wholeNumber($0) }
    var frames = ContainerOutput.frames(ofLog: record.log)
    if let limit { frames = Self.tail(frames, lines: limit) }
    for frame in frames { connection.send(frame.stream, frame.bytes) }
    guard options.contains(where: { $0 == "-f" || $0 == "--follow" }), record.status == .running else {
      return connection.finish(0)
    }
    containers.attach(connection, to: record.id)
    containers.whenEnded(record.id) { _ in connection.finish(0) }
    connection.whenSignaled = { connection.finish(128 + $0) }
  }

  private static func tail(
    _ frames: [(stream: UInt8, bytes: [UInt8])], lines: Int
  ) -> [(stream: UInt8, bytes: [UInt8])] {
    let all = frames.flatMap { frame in
      frame.bytes.split(separator: UInt8(ascii: "\n")).map { (frame.stream, Array($0) + [UInt8(ascii: "\n")]) }
    }
    return Array(all.suffix(lines))
  }

  private func kill(_ words: [String]) {
    let name = Self.value(words, ["--signal", "-s"]) ?? "KILL"
    guard let number = signalNumber(name) else { return fail(1, "Error response from daemon: invalid signal: \(name)") }
    for name in Self.names(words, ["--signal", "-s"]) {
      guard let record = existing(name) else { return }
      guard containers.signal(record.id, number) else {
        return fail(
          1, "Error response from daemon: cannot kill container: \(name): container \(record.id) is not running")
      }
      connection.output(name + "\n")
    }
    connection.finish(0)
  }

  private func stop(_ words: [String]) {
    let flags: Set<String> = ["--time", "-t", "--timeout", "--signal", "-s"]
    let seconds = Self.value(words, ["--time", "-t", "--timeout"]).flatMap { Double($0) }
    let names = Self.names(words, flags)
    var left = names.count
    if names.isEmpty { return fail(1, "'docker stop' requires at least 1 argument") }
    for name in names {
      guard let record = existing(name) else { return }
      containers.stop(record.id, seconds: seconds) {
        connection.output(name + "\n")
        left -= 1
        if left == 0 { connection.finish(0) }
      }
    }
  }

  private func remove(_ names: [String], _ options: [String]) {
    let isForced = options.contains {
      $0 == "--force" || ($0.hasPrefix("-") && !$0.hasPrefix("--") && $0.contains("f"))
    }
    var left = names.count
    var status: Int32 = 0
    let next = {
      left -= 1
      if left == 0 { connection.finish(status) }
    }
    for name in names {
      guard let record = containers.find(name) else {
        connection.error("Error response from daemon: No such container: \(name)\n")
        if !isForced { status = 1 }
        next()
        continue
      }
      if record.status == .running, !isForced {
        connection.error(
          "Error response from daemon: cannot remove container \"/\(record.name)\": container is running: stop the "
            + "container before removing or force remove\n")
        status = 1
        next()
        continue
      }
      _ = containers.signal(record.id, SIGKILL)
      containers.whenEnded(record.id) { _ in
        containers.remove(record.id)
        connection.output(name + "\n")
        next()
      }
    }
    if names.isEmpty { fail(1, "'docker rm' requires at least 1 argument") }
  }

  private func wait(_ names: [String]) {
    guard let record = existing(names.first) else { return }
    containers.whenEnded(record.id) { done("\($0)\n") }
  }

  private func list(_ words: [String], _ options: [String]) {
    let short = options.filter { !$0.hasPrefix("--") }.joined()
    let filters = Self.values(words, ["--filter", "-f"])
    var records = containers.records.values.sorted { $0.createdAt > $1.createdAt }
    if !short.contains("a"), !options.contains("--all") { records.removeAll { $0.status != .running } }
    for filter in filters {
      let parts = filter.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "name": records.removeAll { !Self.matches($0.name, parts[1]) }
      case "status": records.removeAll { $0.status.rawValue != parts[1] }
      case "id": records.removeAll { !$0.id.hasPrefix(parts[1]) }
      default: break
      }
    }
    if short.contains("q") || options.contains("--quiet") {
      return done(records.map { $0.id.prefix(12) + "\n" }.joined())
    }
    if let format = Self.value(words, ["--format"]) {
      let lines = records.map { record in
        [
          ("ID", String(record.id.prefix(12))), ("Names", record.name), ("Image", record.spec.image),
          ("State", record.status.rawValue),
        ]
        .reduce(format) { $0.replacingOccurrences(of: "{{.\($1.0)}}", with: $1.1) } + "\n"
      }
      return done(lines.joined())
    }
    let lines = records.map { "\($0.id.prefix(12))   \($0.spec.image)   \($0.status.rawValue)   \($0.name)\n" }
    done("CONTAINER ID   IMAGE   STATUS   NAMES\n" + lines.joined())
  }

  /// As docker does: anywhere in the name, with `^` and `$` for its ends.
  private static func matches(_ name: String, _ pattern: String) -> Bool {
    name.range(of: pattern, options: .regularExpression) != nil
  }

  private func version(_ words: [String]) {
    if Self.value(words, ["--format", "-f"]) != nil { return done("27.0.0\n") }
    done("Docker version 27.0.0, a stand-in by dagrun\n")
  }

  private func existing(_ name: String?) -> ContainerRecord? {
    if let record = name.flatMap(containers.find) { return record }
    fail(1, "Error response from daemon: No such container: \(name ?? "")")
    return nil
  }

  static func value(_ words: [String], _ names: Set<String>) -> String? { values(words, names).last }

  private static func values(_ words: [String], _ names: Set<String>) -> [String] {
    words.enumerated().compactMap { index, word in
      if names.contains(word) { return index + 1 < words.count ? words[index + 1] : nil }
      guard let equals = word.firstIndex(of: "="), names.contains(String(word[..<equals])) else { return nil }
      return String(word[word.index(after: equals)...])
    }
  }

  /// Words that are neither options nor values of those named.
  private static func names(_ words: [String], _ valued: Set<String>) -> [String] {
    nameIndices(words, valued).map { words[$0] }
  }

  static func nameIndices(_ words: [String], _ valued: Set<String>) -> [Int] {
    words.indices.filter { index in
      !words[index].hasPrefix("-") && !(index > 0 && valued.contains(words[index - 1]))
    }
  }
}
