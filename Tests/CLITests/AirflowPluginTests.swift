import AirflowPlugin
import Foundation
import Testing

@testable import CLI

@Suite struct AirflowPluginTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")

  @Test func `plugins/dagrun_plugin.py is what the command writes`() async throws {
    let committed = try String(contentsOf: Self.root.appending(path: "plugins/dagrun_plugin.py"), encoding: .utf8)
    let test = TestSession()
    #expect(await test.run("airflow-plugin") == .success)
    #expect(test.output == committed, "run 'make docs'")
    #expect(test.errors.isEmpty)
  }

  @Test func `it holds every part of the folder, in the order of their names`() async throws {
    let folder = Self.root.appending(path: "Sources/AirflowPlugin/Python")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".py") }.sorted()
    #expect(!names.isEmpty)
    var rest = AirflowPlugin.ofThisTool(binary: "dagrun").text[...]
    for name in names {
      let part = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        .replacingOccurrences(of: "@VERSION@", with: Version.text)
        .replacingOccurrences(of: "@PROTOCOL@", with: "\(Version.protocolNumber)")
        .replacingOccurrences(of: "@BINARY@", with: "dagrun").trimmingCharacters(in: .newlines)
      let place = try #require(rest.range(of: part), "\(name)")
      rest = rest[place.upperBound...]
    }
    #expect(rest == "\n")
  }

  @Test func `it says who wrote it, and the version and protocol it speaks`() async {
    let test = TestSession()
    _ = await test.run("airflow-plugin")
    let lines = test.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines[0]
        == "# Written by 'dagrun airflow-plugin' of dagrun \(Version.text) (protocol \(Version.protocolNumber)). Do not edit: write it again."
    )
    #expect(lines.contains("VERSION = \"\(Version.text)\""))
    #expect(lines.contains("PROTOCOL = \(Version.protocolNumber)"))
    #expect(lines.contains("BINARY = \"dagrun\""))
  }

  @Test(arguments: [
    ("/opt/dagrun", #"BINARY = "/opt/dagrun""#), ("/a \"b\" \\c", #"BINARY = "/a \"b\" \\c""#),
    ("/a\nimport os\n", #"BINARY = "/a\nimport os\n""#), ("/ä/🦊/@VERSION@", #"BINARY = "/ä/🦊/@VERSION@""#),
    ("/tab\t\u{2028}\u{85}", #"BINARY = "/tab\u0009\u2028\u0085""#), ("/'''", #"BINARY = "/'''""#),
  ])
  func `the binary's path is quoted for Python`(path: String, line: String) async {
    let test = TestSession()
    #expect(await test.run("airflow-plugin", "--binary", path) == .success)
    #expect(test.output.split(separator: "\n").contains { $0 == line })
  }

  @Test(arguments: ["./dagrun", "bin/dagrun", ""])
  func `a binary that workers could not find is refused`(path: String) async {
    let test = TestSession()
    #expect(await test.run("airflow-plugin", "--binary=\(path)") == .wrongUsage)
    #expect(test.errors.hasPrefix("error: "))
    #expect(test.output.isEmpty)
  }

  @Test func `-o writes the file, over an older one`() async throws {
    let folder = try TestFolder()
    let path = folder.path + "/dagrun_plugin.py"
    try "old".write(toFile: path, atomically: true, encoding: .utf8)
    let test = TestSession()
    test.workingDirectory = folder.path
    #expect(await test.run("airflow-plugin", "-o", "dagrun_plugin.py") == .success)
    #expect(test.output == path + "\n")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == AirflowPlugin.ofThisTool(binary: "dagrun").text)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["dagrun_plugin.py", "dags"])
  }

  @Test func `-o to a place that cannot be written says so`() async throws {
    let folder = try TestFolder()
    for path in ["\(folder.path)/no/dagrun_plugin.py", "\(folder.path)/dags", "/dev/null/plugin.py"] {
      let test = TestSession()
      #expect(await test.run("airflow-plugin", "-o", path) == .unavailable)
      #expect(test.errors.contains("nothing was written"), "\(test.errors)")
      #expect(test.output.isEmpty)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["dags"])
  }

  @Test(arguments: [
    (["--bundle-binary"], "needs a folder"), (["--bundle-binary", "-o", "-"], "needs a folder"),
    (["--bundle-binary", "-o", "/tmp/plugin.py", "--binary", "/opt/dagrun"], "leave --binary out"),
  ])
  func `a binary is put beside a plugin only`(arguments: [String], reason: String) async {
    let test = TestSession()
    #expect(await CommandRunner.run(["airflow-plugin"] + arguments, in: test.session) == .wrongUsage)
    #expect(test.errors.contains(reason), "\(test.errors)")
  }

  @Test func `a folder that the binary cannot be put into is named`() async {
    let test = TestSession()
    #expect(await test.run("airflow-plugin", "--bundle-binary", "-o", "/dev/null/plugin.py") == .unavailable)
    #expect(test.errors.contains("cannot write /dev/null/dagrun.tar.gz"), "\(test.errors)")
  }

  @Test(arguments: [
    (["--composer-environment", "-x"], "--location"), (["--composer-environment=a b", "--location=l"], "' '"),
    (["--composer-environment=a", "--location=l", "--project="], "--project"),
    (["--composer-environment=a", "--location=../l"], "'/'"), (["--composer-environment=a"], "--location"),
  ])
  func `deploy refuses what cannot be a name`(arguments: [String], reason: String) async {
    let test = TestSession()
    let status = await CommandRunner.run(["airflow-plugin", "deploy"] + arguments, in: test.session)
    #expect(status == .wrongUsage)
    #expect(test.errors.contains(reason), "\(test.errors)")
  }

  @Test func `gcloud is told the environment, its place, and the file`() {
    let environment = ComposerEnvironment(name: "nightly", location: "europe-west1", project: "my-project")
    #expect(
      environment.importPlugin("/tmp/a b/dagrun_plugin.py") == [
        "composer", "environments", "storage", "plugins", "import", "--environment=nightly", "--location=europe-west1",
        "--project=my-project", "--quiet", "--source=/tmp/a b/dagrun_plugin.py",
      ])
    #expect(
      ComposerEnvironment(name: "nightly", location: "europe-west1").describe == [
        "composer", "environments", "describe", "nightly", "--location=europe-west1", "--quiet",
        "--format=value(config.dagGcsPrefix)",
      ])
  }

  /// As gcloud 528 said them, against a server that answered so.
  @Test(arguments: [
    (
      "You do not currently have an active account selected.\nPlease run:\n\n  $ gcloud auth login", 5,
      "gcloud auth login"
    ),
    ("NOT_FOUND: Requested entity was not found.", 3, "environments list"),
    ("PERMISSION_DENIED: The caller does not have permission.", 5, "composer.user"),
    ("Error parsing [environment].\nFailed to find attribute [project].", 2, "--project"),
    ("Cloud storage upload failure. Please retry.", 5, "again"),
  ])
  func `what gcloud says becomes what to do`(said: String, status: Int, hint: String) {
    let advice = Gcloud.advice("ERROR: (gcloud.composer.environments.describe) \(said)")
    #expect(advice.status.rawValue == Int32(status))
    #expect(advice.hint.contains(hint))
  }
}
