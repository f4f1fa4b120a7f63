// What people write after `each:` that is no list, so that the compiler can say what to write instead.

@available(
  *, unavailable,
  message: "the output of a shell task is one text; if it is a list in JSON, take its output(as: [Int].self)"
)
extension String: MappableList {
  public typealias MappedElement = String

  public var mappedList: MappedList { fatalError("unavailable") }
}

@available(*, unavailable, message: "a task is not a list; write each: list.output")
extension SwiftOperator: MappableList {
  public typealias MappedElement = String

  public var mappedList: MappedList { fatalError("unavailable") }
}

@available(*, unavailable, message: "a task is not a list; write each: list.output")
extension BashOperator: MappableList {
  public typealias MappedElement = String

  public var mappedList: MappedList { fatalError("unavailable") }
}
