import DagBag
import Dagrun
import Foundation
import Testing

@Suite struct PackageTests {
  @Test func `a folder with a Package.swift is built by SwiftPM, with the modules that it depends on`() throws {
    let folder = try TestFolder()
    try folder.write(
      """
      // swift-tools-version: 6.0
      import PackageDescription
      let package = Package(
        name: "weather",
        targets: [.target(name: "Helpers"), .executableTarget(name: "weather", dependencies: ["Helpers"])])
      """, to: "weather/Package.swift")
    try folder.write("public func square(_ n: Int) -> Int { n * n }\n", to: "weather/Sources/Helpers/square.swift")
    let main = "weather/Sources/weather/main.swift"
    try folder.write(
      """
      import Dagrun
      import Helpers
      DAG("weather") { SwiftOperator("square_\\(square(7))") { _ in square(7) } }
      """, to: main)
    let contents = try folder.bag().load()
    #expect(contents.files.map(\.path) == [folder.dags + "/weather"], "\(contents.importErrors)")
    #expect(contents.files.first?.dags.first?.tasks.map(\.id) == ["square_49"])

    try folder.write("import Dagrun\nimport Helpers\nDAG(\"weather\") { EmptyOperator(cube(7)) }\n", to: main)
    let broken = try folder.bag().load()
    let error = try #require(broken.importErrors.first)
    #expect(error.stage == .compile && error.line == 3 && error.path == folder.dags + "/" + main, "\(error)")
    #expect(error.message == "cannot find 'cube' in scope")
  }
}
