import ArgumentParser

struct DAGsShowCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Draws the tasks of a DAG: as a tree, or for Graphviz or Mermaid.",
    discussion: "A task that a case of a branch leads to is drawn with the name of the case.")

  enum Drawing: String, CaseIterable, ExpressibleByArgument {
    case tree, dot, mermaid
  }

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Option(name: .shortAndLong, help: "How to draw it.") var format: Drawing = .tree
  @Flag(help: "Draws the tasks in groups too, and not each group as one.") var groups = false
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let files = try await Workspace(session, global).dagFiles()
    let graph = GraphText(try files.dag(dag), opensGroups: groups)
    switch format {
    case .tree: session.output.write(graph.tree())
    case .dot: session.output.write(graph.dot())
    case .mermaid: session.output.write(graph.mermaid())
    }
    files.mentionImportErrors(to: session)
    return .success
  }
}
