/// docs/dagrun.1, for `man dagrun`.
enum ManualPage {
  static func write(_ tool: ToolDescription) -> String {
    let root = tool.command
    var text = """
      .\\" Written by `make docs` from the commands themselves; do not edit.
      .TH DAGRUN 1 "" "dagrun \(Version.text)" "User Commands"
      .SH NAME
      dagrun \\- \(escape(root.abstract ?? ""))
      .SH SYNOPSIS
      .B dagrun
      .I command
      .RI [ options ]
      .SH DESCRIPTION
      \(paragraphs(root.discussion ?? ""))
      .SH COMMANDS

      """
    for command in root.all.dropFirst() where command.shownSubcommands.isEmpty {
      text += ".SS \(escape(command.path))\n\(escape(command.abstract ?? ""))\n"
      text += ".PP\n.B \(escape(command.synopsis))\n"
      if let discussion = command.discussion {
        text += ".PP\n" + (isAligned(discussion) ? ".nf\n\(escape(discussion))\n.fi\n" : paragraphs(discussion) + "\n")
      }
      for argument in command.shownArguments {
        text += ".TP\n.B \(escape(argument.label))\n\(escape(argument.explanation))\n"
      }
    }
    text += ".SH EXIT STATUS\n"
    for status in CommandExit.allCases { text += ".TP\n.B \(status.rawValue)\n\(escape(status.explanation))\n" }
    text += """
      .SH ENVIRONMENT
      .TP
      .B DAGRUN_HOME
      The folder of the database, logs and socket, where \\-\\-home is not given.
      .TP
      .B DAGRUN_DAGS_FOLDER
      The folder of the DAG files, where \\-\\-dags\\-folder is not given.
      .TP
      .B NO_COLOR
      Set and not empty: no colours.

      """
    return text
  }

  /// Backslashes and hyphens mean something to roff, and so does a line that begins with a dot or a quote.
  private static func escape(_ text: String) -> String {
    let escaped = text.map { character in
      switch character {
      case "\\": "\\e"
      case "-": "\\-"
      default: String(character)
      }
    }.joined()
    return escaped.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : String($0) }.joined(separator: "\n")
  }

  /// Lines that line up must stay as they are.
  private static func isAligned(_ text: String) -> Bool { text.contains("  ") }

  private static func paragraphs(_ text: String) -> String {
    escape(text).split(separator: "\n").joined(separator: "\n.PP\n")
  }
}
