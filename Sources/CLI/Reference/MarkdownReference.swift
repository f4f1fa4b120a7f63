/// docs/command-line.md
enum MarkdownReference {
  static func write(_ tool: ToolDescription) -> String {
    var text = """
      # The command line

      <!-- Written by `make docs` from the commands themselves; do not edit. -->

      \(tool.command.abstract ?? "")


      """
    if let discussion = tool.command.discussion { text += discussion + "\n\n" }
    text += "Every command also takes `-h`, `--help`. `--home` and `--dags-folder` may stand before the command, too.\n"
    for command in tool.command.all.dropFirst() {
      let level = String(repeating: "#", count: min(4, (command.superCommands?.count ?? 0) + 1))
      text += "\n\(level) \(command.path)\n\n\(command.abstract ?? "")\n"
      if let discussion = command.discussion { text += "\n" + indentedAsCode(discussion) + "\n" }
      guard command.shownSubcommands.isEmpty || command.defaultSubcommand != nil else { continue }
      if let name = command.defaultSubcommand {
        text += "\nWithout a subcommand it is `\(command.path) \(name)`.\n"
        continue
      }
      text += "\n```\n\(command.synopsis)\n```\n"
      let arguments = command.shownArguments
      guard !arguments.isEmpty else { continue }
      text += "\n| | |\n|---|---|\n"
      for argument in arguments {
        text += "| `\(cell(argument.label))` | \(cell(argument.explanation)) |\n"
      }
    }
    return text
  }

  private static func cell(_ text: String) -> String {
    text.split(separator: "\n").joined(separator: " ").split(separator: "|", omittingEmptySubsequences: false)
      .joined(separator: "\\|")
  }

  /// Lines that line up must stay as they are.
  private static func indentedAsCode(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.contains(where: { $0.contains("  ") }) else { return text }
    return "```\n\(text)\n```"
  }
}
