import Foundation
import Testing

/// What somebody sees who tries jobs for the first time, and has something wrong. Nothing here reaches any cloud.
@Suite(.blocking) struct FirstJobTests {
  private static let job = ["--project", "demo", "--image", "debian", "--zone", "europe-west1-b"]

  @Test func `without credentials a job fails at once, and leaves nothing`() throws {
    let project = try Project()
    project.environment["GOOGLE_APPLICATION_CREDENTIALS"] = project.path + "/none.json"
    let ended = try project.run(["job", "run"] + Self.job + ["--", "true"], timeout: 10)
    #expect(ended.code == 247 && ended.errors.contains("there is no such file"), "\(ended.errors)")
    #expect(!ended.errors.contains("left behind"), "\(ended.errors)")
  }

  @Test func `an emulator that is gone is reported within seconds, and Ctrl-C leaves it`() throws {
    let project = try Project()
    // Nobody listens on the port of "discard".
    project.environment["PUBSUB_EMULATOR_HOST"] = "127.0.0.1:9"
    let service = "http://127.0.0.1:9/compute/v1/"
    project.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"] = service
    let job = try project.start(
      "job", "run", "--project", "demo", "--image", "debian", "--zone", "europe-west1-b", "--", "true")
    #expect(job.wait(seconds: 30) { $0.contains("trying again") }, "\(job.text)")
    job.signal(SIGINT)
    #expect(try job.waitForEnd(seconds: 30) == 130, "\(job.text)")
    #expect(!job.text.contains("left behind"), "\(job.text)")
  }

  @Test func `a job whose emulated VM cannot boot ends with the reason`() throws {
    let project = try Project()
    // Root of a user namespace that gives no other one.
    let script = """
      unshare --user --map-root-user sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"' sh \
        "$0" emulator start --environment-file cloud.env > emulator.log 2>&1 &
      until [ -s cloud.env ]; do kill -0 $! || exit 99; sleep 0.1; done
      . ./cloud.env
      "$0" job run --project demo --image debian --zone europe-west1-b -- true
      code=$?
      "$0" emulator inventory --empty > inventory || code=98
      kill $!; wait $!
      cat emulator.log >&2
      exit $code
      """
    let ended = try project.run(program: "sh", "-c", script, Project.binary)
    #expect(ended.code == 242, "\(ended.code) \(ended.errors)")
    let said = ended.errors.components(separatedBy: "gives no user namespace")
    // By the job, and by the emulator: when it starts, and when the VM fails.
    #expect(said.count >= 4, "\(ended.errors)")
  }

  @Test func `all that is wrong with a job is told at once, and no home is made`() throws {
    let project = try Project()
    let ended = try project.run(
      ["job", "run", "--shm-size", "lots", "--label", "Bad=x"] + Self.job + ["--", "true"])
    #expect(ended.code == 2)
    for word in ["\"lots\"", "\"Bad\""] { #expect(ended.errors.contains(word), "\(ended.errors)") }
    #expect(!FileManager.default.fileExists(atPath: project.home))
    let short = try project.run(["job", "run", "--name", "ab"] + Self.job + ["--", "true"])
    #expect(short.code == 2 && short.errors.contains("at least 3"), "\(short.errors)")
  }

  @Test func `the spec that is shown to a person whose spec is wrong is a right one`() throws {
    let project = try Project()
    let path = project.path + "/spec.json"
    try #"{"image": "debian"}"#.write(toFile: path, atomically: true, encoding: .utf8)
    let wrong = try project.run("job", "run", "--spec", path)
    #expect(wrong.code == 2 && wrong.errors.contains("the key \"image\" is unknown"), "\(wrong.errors)")
    #expect(wrong.errors.contains("dagrun job render --image debian --part spec -- echo hello"))
    let example = try project.run("job", "render", "--image", "debian", "--part", "spec", "--", "echo", "hello")
    try example.output.write(toFile: path, atomically: true, encoding: .utf8)
    let right = try project.run("job", "render", "--spec", path, "--part", "spec")
    #expect(right.code == 0 && right.output == example.output, "\(right.errors)")
  }
}
