import ArgumentParser

/// Writes the pages that are generated from the commands themselves: docs/command-line.md and docs/dagrun.1.
/// Hidden: people read the pages.
struct ReferenceCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "reference", abstract: "Prints the reference of all commands.", shouldDisplay: false)

  enum Page: String, CaseIterable, ExpressibleByArgument {
    case man, markdown
  }

  @Argument(help: "man or markdown.") var page: Page

  func execute(in session: Session) throws -> CommandExit {
    let tool = try ToolDescription.ofThisTool()
    switch page {
    case .man: session.output.write(ManualPage.write(tool))
    case .markdown: session.output.write(MarkdownReference.write(tool))
    }
    return .success
  }
}
