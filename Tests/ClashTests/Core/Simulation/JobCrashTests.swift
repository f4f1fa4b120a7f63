import Dagrun
import Model
import Testing

@testable import Clash

/// One death of the driver at each place where it can die, in turn: before the log is written, before the job is saved,
/// after it, and after each action.
@Suite struct JobCrashTests {
  @Test(arguments: [("nothing else", UInt64(3)), ("another home", 3), ("preemptions", 1), ("no capacity", 1)])
  func `a crash at any point leaves one machine, one result and nothing over`(name: String, seeds: UInt64) throws {
    let weathers = ["preemptions": Self.preemptions, "no capacity": Self.stockOuts, "another home": Self.otherHomes]
    let weather = weathers[name] ?? .calm
    for seed in 1...seeds {
      var weather = weather
      weather.longestContainerSeconds = 100
      let undisturbed = try JobSimulationTests.simulate(seed, weather, name)
      let points = undisturbed.truth.crashPoints
      #expect(points > 20)
      for point in 0..<points {
        weather.crashesAt = [point]
        let world = try JobSimulationTests.simulate(seed, weather, "\(name), crash at \(point)")
        #expect(world.truth.crashes == 1)
        #expect(world.cloud.inventory().isEmpty)
        if name == "nothing else" || name == "another home" {
          #expect(world.truth.groupsMade == 1, "seed \(seed), crash at \(point)")
          #expect(world.truth.machinesMade == 1, "seed \(seed), crash at \(point)")
          #expect(
            world.driver.outcomes.values.contains { $0.ending == .exited(status: world.truth.endings[0].status) },
            "seed \(seed), crash at \(point)")
        }
      }
    }
  }

  /// Whoever begins it dies, and another home brings it to its end.
  static let otherHomes: Weather = {
    var weather = Weather.calm
    weather.otherHomes = 100
    return weather
  }()

  static let preemptions: Weather = {
    var weather = Weather.calm
    weather.preemptions = 60
    return weather
  }()

  static let stockOuts: Weather = {
    var weather = Weather.calm
    weather.stockOuts = 60
    return weather
  }()

  /// Machines go at any moment, also just after their last word; pulls are lost with what they brought, and so is the
  /// driver.
  @Test func `a result that was published is the last one, whoever had pulled it`() throws {
    var weather = Weather.calm
    weather.preemptions = 100
    weather.deaths = 100
    weather.groupsStay = 100
    weather.lostPulls = 15
    weather.crashes = 2
    weather.duplicates = 10
    weather.isResultFinal = true
    weather.longestContainerSeconds = 600
    var losses = 0
    for seed in UInt64(1)...200 {
      let world = try JobSimulationTests.simulate(seed, weather, "published")
      losses += world.driver.job?.attempts.count { $0.ending == .preempted || $0.ending == .lost } ?? 0
    }
    #expect(losses > 100)
  }

  @Test func `an undisturbed job makes four things and removes them`() throws {
    var weather = Weather.calm
    weather.groupsStay = 100
    for seed in UInt64(1)...20 {
      let world = try JobSimulationTests.simulate(seed, weather)
      #expect(
        world.truth.callsSent.map(\.verb) == [
          "make topic", "make subscription", "make template", "make group", "remove group",
          "remove subscription", "remove topic", "remove template",
        ])
      #expect(world.driver.job?.attempts.count == 1)
    }
  }
}
