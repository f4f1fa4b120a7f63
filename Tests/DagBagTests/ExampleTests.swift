import DagBag
import Dagrun
import Foundation
import Testing

@Suite struct ExampleTests {
  @Test func `every shipped example compiles and is described`() throws {
    var options = try TestFolder().bag().options
    options.dagsFolder = repository + "dags"
    let contents = try DagBag(options).load(pools: ["default_pool"])
    #expect(contents.importErrors.isEmpty && contents.warnings.isEmpty, "\(contents.importErrors)")
    #expect(contents.files.map { $0.dags.map(\.id) }.contains(["machine_report"]))
  }
}
