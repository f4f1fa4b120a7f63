internal import Foundation

/// Pages, filters, order.
extension ComputeModel {
  /// - Parameter kind: without the `List` at its end.
  func page(_ call: Call<ComputeMethod>, _ kind: String, in prefix: String, _ rows: [JSON]) throws(APIFailure) -> JSON {
    var answer = try pageFields(call, rows, name: "items")
    answer["kind"] = .string("compute#\(kind)List")
    answer["id"] = .string("\(prefix)/\(kind)s")
    answer["selfLink"] = .string(base + String(call.request.path.dropFirst("/compute/v1/".count)))
    return answer
  }

  /// - Parameter name: of the field that holds the rows; left out when there are none, as Google does.
  func pageFields(
    _ call: Call<ComputeMethod>, _ rows: [JSON], name: String
  ) throws(APIFailure) -> JSON {
    let filter = try call.query("filter").map { text throws(APIFailure) in try Filter(text) }
    var rows = rows.filter { filter?.matches($0) ?? true }
    switch call.query("orderBy") {
    case nil, "name"?: break
    case "creationTimestamp desc"?:
      rows.sort { ($0["creationTimestamp"].text ?? "") > ($1["creationTimestamp"].text ?? "") }
    case let order?: throw .invalid("orderBy", order, "Must be 'name' or 'creationTimestamp desc'.")
    }
    let limit = try limit(call)
    let start = try start(call)
    let selected = rows.dropFirst(start).prefix(limit)
    var answer: JSON = [:]
    if !selected.isEmpty { answer[name] = .array(Array(selected)) }
    if start + selected.count < rows.count {
      answer["nextPageToken"] = .string(Self.pageToken(start + selected.count))
    }
    return answer
  }

  /// Of all zones and regions: each scope has its rows, or a warning that there are none.
  func aggregate(_ call: Call<ComputeMethod>, _ name: String, _ rows: [String: [JSON]]) throws(APIFailure) -> JSON {
    let filter = try call.query("filter").map { text throws(APIFailure) in try Filter(text) }
    let all = rows.sorted { $0.key < $1.key }
      .flatMap { scope in scope.value.filter { filter?.matches($0) ?? true }.map { (scope.key, $0) } }
    let limit = try limit(call)
    let start = try start(call)
    let selected = all.dropFirst(start).prefix(limit)
    var items: [String: JSON] = [:]
    let scopes =
      ComputeCatalog.zones.map { "zones/\($0)" } + ComputeCatalog.zonesByRegion.keys.map { "regions/\($0)" }
      + ["global"]
    for scope in scopes {
      items[scope] = [
        "warning": [
          "code": "NO_RESULTS_ON_PAGE", "message": "There are no results for scope '\(scope)' on this page.",
          "data": [["key": "scope", "value": .string(scope)]],
        ]
      ]
    }
    for (scope, rows) in Dictionary(grouping: selected, by: \.0) { items[scope] = [name: .array(rows.map(\.1))] }
    var answer: JSON = [
      "kind": .string("compute#\(name.dropLast())AggregatedList"), "items": .object(items),
      "id": .string("projects/\(call["project"])/aggregated/\(name)"),
      "selfLink": .string("\(base)projects/\(call["project"])/aggregated/\(name)"),
    ]
    if start + selected.count < all.count {
      answer["nextPageToken"] = .string(Self.pageToken(start + selected.count))
    }
    return answer
  }

  private func limit(_ call: Call<ComputeMethod>) throws(APIFailure) -> Int {
    guard let text = call.query("maxResults") else { return 500 }
    guard let limit = Int(text), (0...500).contains(limit) else {
      throw .invalid("maxResults", text, "Must be between 0 and 500.")
    }
    return limit == 0 ? 500 : limit
  }

  private func start(_ call: Call<ComputeMethod>) throws(APIFailure) -> Int {
    guard let text = call.query("pageToken") else { return 0 }
    guard let data = Data(base64Encoded: text), let start = wholeNumber(String(decoding: data, as: UTF8.self))
    else {
      throw .invalid("pageToken", text, "The page token is not valid.")
    }
    return start
  }

  private static func pageToken(_ start: Int) -> String { Data(String(start).utf8).base64EncodedString() }
}
