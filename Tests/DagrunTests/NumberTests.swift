import Foundation
import FuzzSupport
import Testing

@testable import Dagrun

/// Every number that a DAG file can carry, and what it may be (`NumberBound.inDAGFiles`).
extension DescribingTests {
  @Suite(.serialized) struct Numbers {
    /// By the place's name: a DAG whose file says that number. What takes a `Duration` is given seconds.
    private static let places: [String: @Sendable (Double) -> Void] = [
      "maxActiveRuns": { value in DAG("d", maxActiveRuns: whole(value)) { EmptyOperator("a") } },
      "maxActiveTasks": { value in DAG("d", maxActiveTasks: whole(value)) { EmptyOperator("a") } },
      "dagrunTimeout": { value in DAG("d", dagrunTimeout: .seconds(value)) { EmptyOperator("a") } },
      "retries": { value in DAG("d") { BashOperator("a", "true", retries: whole(value)) } },
      "retryDelay": { value in DAG("d") { BashOperator("a", "true", retryDelay: .seconds(value)) } },
      "retryBackoff": { value in DAG("d", defaults: .init(retryBackoff: value)) { BashOperator("a", "true") } },
      "maxRetryDelay": { value in
        DAG("d", defaults: .init(maxRetryDelay: .seconds(value))) { BashOperator("a", "true") }
      },
      "executionTimeout": { value in DAG("d") { BashOperator("a", "true", executionTimeout: .seconds(value)) } },
      "poolSlots": { value in DAG("d") { BashOperator("a", "true").pool("p", slots: whole(value)) } },
      "priority": { value in DAG("d") { BashOperator("a", "true").priority(whole(value)) } },
      "maxActive(perDAG:)": { value in DAG("d") { BashOperator("a", "true").maxActive(perDAG: whole(value)) } },
      "maxActive(perRun:)": { value in DAG("d") { BashOperator("a", "true").maxActive(perRun: whole(value)) } },
      "length": { value in
        DAG("d", params: [.string("p", default: "", length: min(0, whole(value))...max(0, whole(value)))]) {
          EmptyOperator("a")
        }
      },
      "accelerators": { value in job { $0.accelerator("nvidia-tesla-t4", count: whole(value)) } },
      "disk size": { value in job { $0.disk(sizeGB: whole(value)) } },
      "maxRunDuration": { value in job { $0.maxRunDuration(.seconds(value)) } },
      "maxAttempts": { value in job { $0.maxAttempts(whole(value)) } },
      "timeout": { value in
        DAG("d") {
          ComputeEngineJobGroupOperator(
            "a", job: config, specs: [JobRuntimeSpec(command: ["true"], timeout: .seconds(value))])
        }
      },
    ]

    private static let config = JobConfig(project: "demo", image: "debian", machineType: "n1-standard-1")

    private static func job(_ change: (JobConfig) -> JobConfig) {
      DAG("d") { ComputeEngineJobOperator("a", job: change(config), command: ["true"]) }
    }

    @Test func `each place of the table can be said`() {
      #expect(Set(Self.places.keys) == Set(NumberBound.inDAGFiles.map(\.place)))
    }

    @Test(arguments: NumberBound.inDAGFiles.map(\.place))
    func `beyond its bounds it is a problem with place, line and bound, and can be stored all the same`(place: String)
      throws
    {
      let bound = try #require(NumberBound.inDAGFiles.first { $0.place == place })
      let say = try #require(Self.places[place])
      let edges = [bound.lowest, bound.highest].flatMap { [$0 - 1, $0, $0 + 1] }
      for value in FuzzSource.doubles + edges {
        let file = describing { say(value) }
        let isWhole = !["retryBackoff"].contains(place) && bound.unit != .seconds
        let said = isWhole ? Double(whole(value)) : value
        let isAllowed =
          place == "length"
          ? said >= 0 && said <= bound.highest : bound.allows(place == "maxRunDuration" ? said.rounded(.up) : said)
        // Less than the nanosecond that a duration counts in is nothing.
        if said > 0, said < 1e-9, bound.unit == .seconds { continue }
        #expect(file.problems.isEmpty == isAllowed, "\(place) = \(value): \(file.problems.map(\.message))")
        if let problem = file.problems.first {
          #expect(problem.location.line > 0)
          #expect(problem.message.contains(place), "\(problem.message)")
          if said > bound.highest { #expect(problem.message.contains(bound.highestText), "\(problem.message)") }
        }
        let json = try JSONEncoder().encode(file)
        #expect(try JSONDecoder().decode(FileDescription.self, from: json).dags.count == 1)
      }
    }

    @Test func `what a parameter is by default, and may be, is a number that JSON can hold`() throws {
      for value in [Double.nan, .infinity, -.infinity] {
        for parameter: Param in [
          .double("p", default: value), .double("p", default: 1, atMost: value),
          .double("p", default: 1, atLeast: value),
          .list("p", default: [1, value]),
        ] {
          let file = describing { DAG("d", params: [parameter]) { EmptyOperator("a") } }
          #expect(!file.problems.isEmpty)
          _ = try JSONEncoder().encode(file)
        }
      }
      for value in FuzzSource.integers {
        let file = describing {
          DAG("d", params: [.int("p", default: value, atLeast: value, atMost: value)]) { EmptyOperator("a") }
        }
        #expect(file.problems.isEmpty)
        #expect(throws: Never.self) { try file.dags[0].resolveParameters(conf: "{\"p\": \(value)}") }
      }
    }

    @Test func `durations of any length can be written and read`() {
      for value in FuzzSource.doubles {
        for duration in [
          Duration.seconds(value), .milliseconds(value), .microseconds(value), .nanoseconds(value), .minutes(value),
          .hours(value), .days(value),
        ] { #expect(duration.inSeconds.isFinite) }
      }
      for value in FuzzSource.integers {
        for duration in [
          Duration.seconds(value), .milliseconds(value), .minutes(value), .hours(value), .days(value),
          .seconds(value) * 10,
        ] { #expect(duration.inSeconds.isFinite) }
      }
      #expect(Duration.seconds(1.5).inSeconds == 1.5 && Duration.minutes(0.5) == .seconds(30))
      #expect(Duration.seconds(-1.25).inSeconds == -1.25 && Duration.milliseconds(250.0).inSeconds == 0.25)
    }

    @Test func `docs/dag-files.md has the table`() throws {
      let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      let page = try String(contentsOf: root.appending(path: "docs/dag-files.md"), encoding: .utf8)
      for bound in NumberBound.inDAGFiles {
        #expect(page.contains("| `\(bound.place)` | \(bound.rule) |"), "\(bound.place) | \(bound.rule)")
      }
    }
  }
}

/// The whole number that a person would have to write.
private func whole(_ value: Double) -> Int { Int(saturating: value) }

struct SaturatingTests {
  @Test func `a number becomes the nearest whole one`() {
    #expect(Int64(saturating: 1e19) == .max && Int64(saturating: -1e19) == .min && Int64(saturating: .nan) == 0)
    #expect(Int64(saturating: 2.5) == 3 && Int32(saturating: 3e9) == .max && UInt8(saturating: -1) == 0)
    #expect(Int(saturating: .infinity) == .max && Int(saturating: -.infinity) == .min)
    for value in FuzzSource.doubles { _ = (Int64(saturating: value), UInt32(saturating: value)) }
  }

  @Test func `sums and products stay within`() {
    #expect(Int.max.addingSaturating(1) == .max && Int.min.addingSaturating(-1) == .min && 2.addingSaturating(3) == 5)
    #expect(Int.max.multipliedSaturating(by: 2) == .max && Int.max.multipliedSaturating(by: -2) == .min)
    #expect(Int.min.multipliedSaturating(by: -1) == .max && 4.multipliedSaturating(by: -3) == -12)
  }

  @Test func `a moment lies in the years 1 to 9999, and two of them add up`() {
    for first in FuzzSource.integers {
      let moment = Timestamp(microseconds: Int64(first))
      #expect(moment >= .lowest && moment <= .highest)
      #expect(Timestamp(iso8601: moment.iso8601) == moment, "\(moment.iso8601)")
      _ = (moment.isoDate, moment.compactDateTime, Timestamp(moment.date))
      for second in FuzzSource.integers {
        _ = moment.seconds(since: Timestamp(microseconds: Int64(second)))
        _ = moment.adding(microseconds: Int64(second))
      }
      for seconds in FuzzSource.doubles {
        _ = (moment.adding(seconds: seconds), Timestamp(Date(timeIntervalSince1970: seconds)))
      }
    }
    #expect(Timestamp(microseconds: .max).iso8601 == "9999-12-31T23:59:59.999999+00:00")
    #expect(Timestamp(microseconds: .min).iso8601 == "0001-01-01T00:00:00+00:00")
  }
}
