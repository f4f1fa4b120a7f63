/// The DAG files that the benchmarks run.
enum Shape {
  /// `count` tasks that wait for nothing.
  static func wide(_ count: Int) -> String {
    """
    import Dagrun

    DAG("wide", maxActiveTasks: 64) {
      for number in 0..<\(count) { SwiftOperator("task_\\(number)") { _ in } }
    }
    """
  }

  /// `count` tasks, one after the other.
  static func chain(_ count: Int) -> String {
    """
    import Dagrun

    DAG("chain") {
      var last = SwiftOperator("task_0") { _ in }
      for number in 1..<\(count) {
        let next = SwiftOperator("task_\\(number)") { _ in }
        last --> next
        last = next
      }
    }
    """
  }

  /// Ten layers of `count` / 10 tasks; each task waits for three of the layer before, picked by a fixed rule.
  static func layered(_ count: Int) -> String {
    """
    import Dagrun

    DAG("layered", maxActiveTasks: 64) {
      var seed: UInt64 = 42
      func pick(below limit: Int) -> Int {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((seed >> 33) % UInt64(limit))
      }
      let width = \(count / 10)
      var above = (0..<width).map { number in SwiftOperator("task_0_\\(number)") { _ in } }
      for layer in 1..<10 {
        let tasks = (0..<width).map { number in SwiftOperator("task_\\(layer)_\\(number)") { _ in } }
        for task in tasks { for _ in 0..<3 { above[pick(below: width)] --> task } }
        above = tasks
      }
    }
    """
  }

  static func shell(_ count: Int, command: String) -> String {
    """
    import Dagrun

    DAG("shell", maxActiveTasks: 64) {
      for number in 0..<\(count) { BashOperator("task_\\(number)", "\(command)") }
    }
    """
  }

  static let yearly = """
    import Dagrun

    DAG("yearly", schedule: .daily, startDate: "2025-01-01") {
      let extract = SwiftOperator("extract") { _ in }
      let transform = SwiftOperator("transform") { _ in }
      let load = SwiftOperator("load") { _ in }
      extract --> transform --> load
    }
    """

  /// A chain of 200 tasks, a gate that is held until the file `go` is there and then fails, and `count` tasks that wait
  /// for the gate.
  static func blocked(_ count: Int) -> String {
    """
    import Dagrun

    DAG("blocked", maxActiveTasks: 64) {
      var last = SwiftOperator("step_0") { _ in }
      for number in 1..<200 {
        let next = SwiftOperator("step_\\(number)") { _ in }
        last --> next
        last = next
      }
      let gate = BashOperator("gate", "while [ ! -e go ]; do sleep 0.1; done; exit 1")
      last --> gate
      for number in 0..<\(count) { gate --> EmptyOperator("blocked_\\(number)") }
    }
    """
  }

  static func small(_ number: Int) -> String {
    """
    import Dagrun

    DAG("small_\(number)") {
      var last = SwiftOperator("task_0") { _ in }
      for number in 1..<10 {
        let next = SwiftOperator("task_\\(number)") { _ in }
        last --> next
        last = next
      }
    }
    """
  }
}
