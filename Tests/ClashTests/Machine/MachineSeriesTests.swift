import Testing

@testable import Clash

@Suite struct MachineSeriesTests {
  @Test func `each row of the table is whole, and each series has one`() throws {
    let lines = MachineSeries.table.split(separator: "\n")
    #expect(lines.first?.split(separator: " ") == ["series", "processor", "accelerators", "host", "disk"])
    let rows = try lines.dropFirst().map { try #require(MachineSeries.Row($0), "\($0)") }
    #expect(Set(rows.map(\.series)).count == rows.count)
    for row in rows {
      #expect(["x86", "arm"].contains(row.processor), "\(row)")
      #expect(["own", "asked", "none"].contains(row.accelerators), "\(row)")
      #expect(["moves", "stays"].contains(row.host), "\(row)")
      let types = ["pd-balanced", "(pd-balanced)", "hyperdisk-balanced", "(hyperdisk-balanced)"]
      #expect(types.contains(row.disk), "\(row)")
      if row.accelerators == "own" { #expect(row.host == "stays", "\(row)") }
    }
  }

  /// machine type, disk asked for, usual disk, Arm, brings accelerators, stays on its host
  @Test(
    arguments: [
      ("n1-standard-4", "pd-balanced", "pd-balanced", false, false, false),
      ("custom-4-4096", "pd-balanced", "pd-balanced", false, false, false),
      ("g1-small", "pd-balanced", "pd-balanced", false, false, false),
      ("a3-ultragpu-8g", nil, "hyperdisk-balanced", false, true, true),
      ("a3-megagpu-8g", nil, "hyperdisk-balanced", false, true, true),
      ("a4x-highgpu-4g", nil, "hyperdisk-balanced", true, true, true),
      ("g2-standard-8", "pd-balanced", "pd-balanced", false, true, true),
      ("c3-standard-8", nil, "pd-balanced", false, false, false),
      ("c3-standard-192-metal", "hyperdisk-balanced", "hyperdisk-balanced", false, false, true),
      ("c4a-highmem-96-metal", "hyperdisk-balanced", "hyperdisk-balanced", true, false, true),
      ("a4x-maxgpu-4g-metal", "hyperdisk-balanced", "hyperdisk-balanced", true, true, true),
      ("t2a-standard-1", "pd-balanced", "pd-balanced", true, false, false),
      ("c9-standard-4", nil, nil, false, false, false), ("a9-ultragpu-8g", nil, nil, false, true, true),
      ("", nil, nil, false, false, false),
    ] as [(String, String?, String?, Bool, Bool, Bool)])
  func `a machine type has what its series has, and an unknown one what Google gives it`(
    type: String, asked: String?, usual: String?, isArm: Bool, hasAccelerators: Bool, stays: Bool
  ) {
    let series = MachineSeries(machineType: type)
    #expect(series.diskType == asked)
    #expect(series.usualDiskType == usual)
    #expect(series.isArm == isArm)
    #expect(series.hasOwnAccelerators == hasAccelerators)
    #expect(series.staysOnItsHost == stays)
  }
}
