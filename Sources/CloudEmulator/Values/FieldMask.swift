/// Google's partial answers: `fields=items(name,size),nextPageToken` leaves only these in an answer.
///
/// Grammar: names separated by commas; `a/b` and `a(b,c)` go deeper; `*` is any name. Lists are gone through.
struct FieldMask: Hashable {
  private indirect enum Selection: Hashable {
    case all
    case fields([String: Selection])
  }
  private var selection: Selection
  /// No answer is as deep; the stack is not endless.
  private static let depthLimit = 100

  /// Nil where the text is not a mask.
  init?(_ text: String) {
    var rest = Substring(text)
    guard let selection = Self.parse(&rest, depth: 0), rest.isEmpty else { return nil }
    self.selection = selection
  }

  func apply(to value: JSON) -> JSON { Self.apply(selection, to: value) }

  private static func parse(_ rest: inout Substring, depth: Int) -> Selection? {
    guard depth < depthLimit else { return nil }
    var fields: [String: Selection] = [:]
    repeat {
      let name = rest.prefix { !"(),/".contains($0) }
      guard !name.isEmpty else { return nil }
      rest = rest.dropFirst(name.count)
      var below = Selection.all
      if rest.first == "/" {
        rest.removeFirst()
        guard let path = parsePath(&rest, depth: depth + 1) else { return nil }
        below = path
      } else if rest.first == "(" {
        rest.removeFirst()
        guard let list = parse(&rest, depth: depth + 1), rest.first == ")" else { return nil }
        rest.removeFirst()
        below = list
      }
      fields[String(name)] = merge(fields[String(name)], below)
      guard rest.first == "," else { break }
      rest.removeFirst()
    } while true
    return .fields(fields)
  }

  /// What follows a slash: one name, and what is below it.
  private static func parsePath(_ rest: inout Substring, depth: Int) -> Selection? {
    guard depth < depthLimit else { return nil }
    let name = rest.prefix { !"(),/".contains($0) }
    guard !name.isEmpty else { return nil }
    rest = rest.dropFirst(name.count)
    if rest.first == "/" {
      rest.removeFirst()
      return parsePath(&rest, depth: depth + 1).map { .fields([String(name): $0]) }
    }
    if rest.first == "(" {
      rest.removeFirst()
      guard let list = parse(&rest, depth: depth + 1), rest.first == ")" else { return nil }
      rest.removeFirst()
      return .fields([String(name): list])
    }
    return .fields([String(name): .all])
  }

  private static func merge(_ left: Selection?, _ right: Selection) -> Selection {
    guard case .fields(let some)? = left, case .fields(let others) = right else { return left ?? right }
    return .fields(some.merging(others) { merge($0, $1) })
  }

  private static func apply(_ selection: Selection, to value: JSON) -> JSON {
    guard case .fields(let selected) = selection else { return value }
    switch value {
    case .array(let elements): return .array(elements.map { apply(selection, to: $0) })
    case .object(let fields):
      var kept: [String: JSON] = [:]
      for (name, value) in fields {
        if let below = selected[name] ?? selected["*"] { kept[name] = apply(below, to: value) }
      }
      return .object(kept)
    case .null, .bool, .integer, .number, .string: return value
    }
  }
}
