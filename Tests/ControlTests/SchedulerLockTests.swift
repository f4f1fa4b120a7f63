import Dagrun
import Foundation
import Glibc
import Model
import Processes
import Testing

@testable import Control

@Suite struct `The lock of a home` {
  @Test func `is refused while another holds it, by name`() async throws {
    try await withTemporaryHome { home in
      let lock = try SchedulerLock(home)
      let refusal = #expect(throws: ControlError.self) { try SchedulerLock(home) }
      #expect(refusal?.kind == .held)
      #expect(refusal?.message.contains("process \(getpid())") == true)
      _ = consume lock
    }
  }

  @Test func `can be taken again when its holder has released it`() async throws {
    try await withTemporaryHome { home in
      do { _ = try SchedulerLock(home) }
      #expect(throws: Never.self) { try SchedulerLock(home) }
    }
  }

  @Test func `says why when the home cannot be made`() throws {
    let refusal = #expect(throws: ControlError.self) { try SchedulerLock(Home(path: "/dev/null/home")) }
    #expect(refusal?.message.contains("/dev/null") == true)
    #expect(refusal?.message.contains("--home") == true)
  }
}
