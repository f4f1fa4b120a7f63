/// What goes wrong in a world, and how often: percentages of the occasions.
struct Weather {
  /// A request that never arrives; an answer that is lost after the work was done.
  var lostRequests = 0.0
  var lostAnswers = 0.0
  /// A pull that brought messages which nobody got: they are on loan.
  var lostPulls = 0.0
  /// Of the driver's deaths: another home finds the job by its name and brings it to its end; then the first one is
  /// back.
  var otherHomes = 0.0
  /// The messages of a VM arrive so soon that no machine may be asked for once a result was published.
  var isResultFinal = false
  /// No capacity, each time a group tries to make its VM.
  var stockOuts = 0.0
  var quota = 0.0
  /// The group's own operation ends with a stock-out, and the group may stay.
  var failedInserts = 0.0
  /// Google refuses the VM for good.
  var refusals = 0.0
  /// Of VMs.
  var preemptions = 0.0
  var deaths = 0.0
  var hangs = 0.0
  var bootFailures = 0.0
  /// Messages: late by minutes, twice, lost by the VM that should have sent them.
  var lateMessages = 0.0
  var duplicates = 0.0
  var unsentLogs = 0.0
  /// Of the driver, at each of its steps.
  var crashes = 0.0
  /// Instead of by chance: at these points only, counted from 0.
  var crashesAt: Set<Int> = []
  var jumpsOfClock = 0.0
  var cancelsAfterSeconds: Double?
  /// As soon as the call of this number was sent: it is still on the wire.
  var cancelsAtCall: Int?
  var timeoutSeconds: Double?
  /// Of kinds of resources: removing them is forbidden.
  var irremovable: Set<String> = []
  /// A resource of this kind, with the name and of another owner, is there already.
  var foreignResource: String?
  var isDetached = false
  /// VMs that end their job do not remove their group.
  var groupsStay = 0.0
  var longestContainerSeconds = 4000.0

  /// Nothing happens but the job.
  static let calm = Weather()

  static func of(_ random: inout SplitMix) -> Weather {
    var weather = Weather()
    // One world has one or two troubles, another all of them: both find what the other does not.
    let share = random.pick([25.0, 60, 100])
    func some(_ most: Double) -> Double { random.chance(share) ? random.seconds(0...most) : 0 }
    weather.lostRequests = some(25)
    weather.lostAnswers = some(25)
    weather.lostPulls = some(15)
    weather.otherHomes = some(50)
    weather.stockOuts = some(80)
    weather.quota = some(20)
    weather.failedInserts = some(15)
    weather.refusals = some(3)
    weather.preemptions = some(60)
    weather.deaths = some(30)
    weather.hangs = some(15)
    weather.bootFailures = some(20)
    weather.lateMessages = some(20)
    weather.duplicates = some(30)
    weather.unsentLogs = some(10)
    weather.crashes = some(6)
    weather.jumpsOfClock = some(1)
    weather.groupsStay = some(60)
    if random.chance(25) { weather.cancelsAfterSeconds = random.seconds(0...900) }
    if random.chance(25) { weather.cancelsAtCall = Int.random(in: 1...12, using: &random) }
    if random.chance(30) { weather.timeoutSeconds = random.seconds(1...3000) }
    if random.chance(8) { weather.irremovable = [random.pick(["topic", "subscription", "template", "group"])] }
    if random.chance(6) { weather.foreignResource = random.pick(["topic", "subscription", "template", "group"]) }
    weather.isDetached = random.chance(20)
    return weather
  }
}
