import ArgumentParser

struct CompletionsCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "completions", abstract: "Prints a completion script for a shell.",
    discussion: """
      bash:  dagrun completions bash > ~/.local/share/bash-completion/completions/dagrun
      zsh:   dagrun completions zsh > ~/.zsh/completions/_dagrun     (a folder of $fpath)
      fish:  dagrun completions fish > ~/.config/fish/completions/dagrun.fish
      """)

  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case bash, zsh, fish
  }

  @Argument(help: "bash, zsh or fish.") var shell: Shell

  func execute(in session: Session) -> CommandExit {
    let kind: CompletionShell =
      switch shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    session.output.write(RootCommand.completionScript(for: kind) + "\n")
    return .success
  }
}
