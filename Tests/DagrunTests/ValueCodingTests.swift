import Foundation
import Testing

@testable import Dagrun

@Suite struct `Values between tasks` {
  private struct Point: Codable, Hashable {
    var x: Int
    var label: String?
  }

  private func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    try ValueCoding.decode(Value.self, from: ValueCoding.encode(value))
  }

  @Test func `that JSON cannot hold are named with their place`() {
    func words<Value: Codable>(_ value: Value) -> String? {
      do { _ = try ValueCoding.encode(value) } catch { return "\(error)" }
      return nil
    }
    #expect(
      words(Double.nan)
        == "its output is nan, which JSON cannot hold: return a finite number, or an optional that is nil")
    #expect(words(["loss": [1, Double.infinity]])?.contains("inf") == true)
    #expect(words(["loss": [1, Double.infinity]])?.contains("(at loss[1])") == true)
    #expect(words(Float.nan)?.hasPrefix("its output is nan") == true)
    #expect(throws: Never.self) { try ValueCoding.encode(Date(timeIntervalSince1970: .infinity)) }
  }

  @Test func `arrive as they left`() throws {
    #expect(try roundTrip(42) == 42)
    #expect(try roundTrip(Int8(-3)) == -3)
    #expect(try roundTrip(2.5) == 2.5)
    #expect(try roundTrip(3.0) == 3.0)
    #expect(try roundTrip(true))
    #expect(try roundTrip("it's \"quoted\" \\ ü\n") == "it's \"quoted\" \\ ü\n")
    #expect(try roundTrip("12") == "12")
    #expect(try roundTrip([1, 2, 3]) == [1, 2, 3])
    #expect(try roundTrip(["a": [Point(x: 1, label: nil)]]) == ["a": [Point(x: 1, label: nil)]])
    #expect(try roundTrip(Point(x: 1, label: "here")) == Point(x: 1, label: "here"))
  }

  @Test func `arrive as they left, when they may be absent`() throws {
    #expect(try roundTrip(Optional(Point(x: 1, label: "here"))) == Point(x: 1, label: "here"))
    #expect(try roundTrip(Optional<Point>.none) == nil)
    #expect(try roundTrip(Optional(42)) == 42)
    #expect(try roundTrip(Optional("text")) == "text")
    #expect(try roundTrip(Optional(2.5)) == 2.5)
    #expect(try roundTrip(Optional([1])) == [1])
  }

  @Test func `of a shell task are read from its text`() throws {
    func read<Value: Codable>(_ text: String, as type: Value.Type) throws -> Value {
      try ValueCoding.decode(type, from: Data(JSONValue.string(text).jsonText.utf8))
    }
    #expect(try read("17", as: Int.self) == 17)
    #expect(try read("17", as: Int?.self) == 17)
    #expect(try read("17", as: String.self) == "17")
    #expect(try read(#"{"x": 3}"#, as: Point.self) == Point(x: 3, label: nil))
    #expect(try read(#"{"x": 3}"#, as: Point?.self) == Point(x: 3, label: nil))
    #expect(throws: (any Error).self) { try read("many", as: Int.self) }
  }
}
