/// What a task can be mapped over, with `each:`: the output of a task that returns a list, or an array of the DAG file.
public protocol MappableList {
  associatedtype MappedElement: Codable
  var mappedList: MappedList { get }
}

/// A list that a task is mapped over.
public struct MappedList {
  enum Source {
    case output(TaskReference)
    /// JSON texts; nil: one of them cannot be written as JSON.
    case literal([String]?)
  }

  let source: Source
}

extension Array: MappableList where Element: Codable {
  public typealias MappedElement = Element

  public var mappedList: MappedList {
    MappedList(source: .literal(try? map { String(decoding: try ValueCoding.encode($0), as: UTF8.self) }))
  }
}

extension Output: MappableList where Value: MappableList {
  public typealias MappedElement = Value.MappedElement

  public var mappedList: MappedList { MappedList(source: .output(task)) }
}

extension TaskReference {
  /// The elements are the first arguments of the task's closure, in the order of the lists.
  func map(over lists: [MappedList], _ combination: TaskMapping.Combination = .product, limit: Int?) {
    let described: [TaskMapping.List] = lists.compactMap { list in
      switch list.source {
      case .output(let source):
        guard source.builder === builder else {
          builder.foreign(source, usedBy: self)
          return nil
        }
        builder.addEdge(from: source, to: self)
        return .output(taskID: source.id)
      case .literal(let elements?): return .literal(elements)
      case .literal(nil):
        builder.problem(
          "task \"\(id)\" is mapped over a list with a value that JSON cannot hold, such as a number that is not finite",
          at: builder.description.tasks[index].location)
        return nil
      }
    }
    guard described.count == lists.count else { return }
    update { $0.mapping = TaskMapping(described, combination) }
    guard let limit else { return }
    if let problem = NumberBound.maxActivePerRun.at("limit:").problem(limit) {
      builder.problem("task \"\(id)\": \(problem)", at: builder.description.tasks[index].location)
    } else {
      update { $0.maxActivePerRun = limit }
    }
  }
}
