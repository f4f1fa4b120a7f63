enum SampleDAG {
  /// Shell to Swift, with a typed value.
  static let hello = """
    import Dagrun

    DAG("hello", schedule: .daily, startDate: "2026-01-01", params: [.int("count", default: 2, in: 1...9)]) {
      let number = BashOperator("number", "echo counting; echo \\(.param("count"))")
      SwiftOperator("double", number.output(as: Int.self)) { context, number in
        print("twice \\(number) on \\(context.ds)")
        return number * 2
      }
    }
    """

  static let failing = """
    import Dagrun

    DAG("failing") {
      let bad = BashOperator("bad", "echo about to fail >&2; exit 3")
      bad --> EmptyOperator("after")
    }
    """

  static let slow = """
    import Dagrun

    DAG("slow") {
      BashOperator("sleeps", "echo begun; sleep 60") --> EmptyOperator("after")
    }
    """

  static let broken = """
    import Dagrun

    DAG("broken") {
      BashOperator("x", "echo \\(.dss)")
    }
    """

  /// Its task `waits` ends when there is a file at `path`; until then it ignores SIGTERM, if it is stubborn.
  static func waiting(_ id: String, for path: String, isStubborn: Bool = false) -> String {
    """
    import Dagrun

    DAG("\(id)") {
      BashOperator("waits", "\(isStubborn ? "trap '' TERM; " : "")until [ -e '\(path)' ]; do sleep 0.05; done")
    }
    """
  }
}
