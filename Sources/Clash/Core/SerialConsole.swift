/// What the serial console of a VM says that has never spoken.
package struct SerialConsole: Hashable, Sendable {
  /// Why its runner cannot report; nil while it has not said so, or where it could report later.
  package let fault: ReportFault?
  /// The last line that has any text.
  package let lastLine: String?

  package init(_ text: String) {
    let lines = text.split(omittingEmptySubsequences: true) { $0.isNewline }
    fault = lines.last { $0.contains(Self.faultMark) || $0.contains(Self.successMark) }.flatMap {
      ReportFault(line: $0)
    }
    lastLine = lines.reversed().lazy.map(Self.plain).first { !$0.isEmpty }
  }

  /// As the runner writes them (`cannot_report`, `speak_first`); before them stands what systemd and the kernel add.
  static let faultMark = "dagrun: cannot report ["
  private static let successMark = "dagrun: can report"

  /// One line without what a terminal would act upon, at most 300 characters.
  static func plain(_ text: some StringProtocol) -> String {
    let line = text.unicodeScalars.filter { $0.value >= 32 && !(127...159).contains($0.value) }
    let plain = String(String.UnicodeScalarView(line)).split(separator: " ").joined(separator: " ")
    return plain.count > 300 ? plain.prefix(300) + "…" : plain
  }
}

/// When a look at a group reads the console of its VM, which costs a request.
package enum ConsoleReading: Hashable, Sendable {
  /// The VM has spoken: it says itself what happens to it.
  case never
  /// It is awaited, and may have come and gone.
  case ofEnded
  /// It has had its time to speak.
  case ofAny
}
