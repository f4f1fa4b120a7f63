internal import Foundation
internal import Processes

/// `docker`, as far as a job's runner needs it. Words and exit statuses are docker's.
struct DockerCommand {
  let containers: ContainerManager
  let request: CommandRequest
  let connection: CommandConnection

  func run() {
    var words = request.arguments
    if words.first == "image", words.count > 1 { words[0...1] = ["image \(words[1])"] }
    guard let verb = words.first else { return fail(1, "docker: no command") }
    words.removeFirst()
    switch verb {
    case "run": runContainer(words)
    case "pull": pull(words.last ?? "")
    case "inspect": named(words, valued: ["--format", "--type"]) { inspect($0, options: $1) }
    case "image inspect": named(words, valued: ["--format"]) { inspectImage($0, options: $1) }
    case "stop": named(words, valued: ["-t"]) { stop($0, options: $1) }
    case "wait": named(words) { name, _ in wait(name) }
    case "rm": named(words, flags: ["--force"]) { remove($0, isForced: $1["--force"] != nil) }
    case "version": done("Docker version 27.0.0, a stand-in by dagrun\n")
    // No image needs one.
    case "login": done("")
    default:
      fail(1, "docker: '\(verb)' is not emulated: only run, pull, inspect, stop, wait, rm, version and login are")
    }
  }

  /// Options, and the one name that all of the commands are given here.
  private func named(
    _ words: [String], valued: Set<String> = [], flags: Set<String> = [],
    _ body: (_ name: String, _ options: [String: String]) -> Void
  ) {
    var rest = words[...]
    var options: [String: String] = [:]
    while let option = rest.first, option.hasPrefix("-") {
      rest.removeFirst()
      guard flags.contains(option) || valued.contains(option) && !rest.isEmpty else {
        return fail(125, "docker: \(option) is not emulated here")
      }
      options[option] = flags.contains(option) ? "" : rest.removeFirst()
    }
    guard let name = rest.first, rest.count == 1 else { return fail(1, "docker: one name is needed") }
    body(name, options)
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
      let spec = try ContainerSpec(parsing: words, clientEnvironment: request.environment)
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
      connection.whenSignaled = { [containers] in containers.signal(record.id, $0) }
      try containers.start(record.id, connection) { failure in
        if let failure {
          let error = containers.records[record.id]?.error ?? failure.message
          containers.whenEnded(record.id) { _ in
            fail(
              failure.status,
              "docker: Error response from daemon: \(error)\n\nRun 'docker run --help' for more information")
          }
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

  private func inspect(_ name: String, options: [String: String]) {
    guard let record = containers.find(name) else { return fail(1, "Error: No such object: \(name)") }
    show(options) { try InspectFormat.apply($0, values: record.inspected(pid: containers.pid(record.id))) }
  }

  private func inspectImage(_ name: String, options: [String: String]) {
    guard containers.images.contains(name) else {
      return fail(1, "Error response from daemon: No such image: \(name)")
    }
    show(options) {
      try InspectFormat.apply($0, values: [:], emptyLists: [".Config.Entrypoint", ".Config.Cmd", ".Config.Env"])
    }
  }

  private func show(_ options: [String: String], _ text: (_ format: String) throws -> String) {
    guard let format = options["--format"] else { return fail(1, "docker: inspect is emulated with --format only") }
    do {
      done(try text(format) + "\n")
    } catch let error as DockerUsageError {
      fail(1, error.message)
    } catch {
      fail(1, "\(error)")
    }
  }

  private func stop(_ name: String, options: [String: String]) {
    guard let record = existing(name) else { return }
    containers.stop(record.id, seconds: options["-t"].flatMap { Double($0) }) { done(name + "\n") }
  }

  private func remove(_ name: String, isForced: Bool) {
    guard let record = containers.find(name) else {
      connection.error("Error response from daemon: No such container: \(name)\n")
      return connection.finish(isForced ? 0 : 1)
    }
    if record.status == .running, !isForced {
      return fail(
        1,
        "Error response from daemon: cannot remove container \"/\(record.name)\": container is running: stop the "
          + "container before removing or force remove")
    }
    containers.signal(record.id, SIGKILL)
    containers.whenEnded(record.id) { _ in
      containers.remove(record.id)
      done(name + "\n")
    }
  }

  private func wait(_ name: String) {
    guard let record = existing(name) else { return }
    containers.whenEnded(record.id) { done("\($0)\n") }
  }

  private func existing(_ name: String) -> ContainerRecord? {
    if let record = containers.find(name) { return record }
    fail(1, "Error response from daemon: No such container: \(name)")
    return nil
  }
}
