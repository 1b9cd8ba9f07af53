// CommandLineInterface: the commands of the one binary, as a user types them.
//
// It owns: the command tree, flags, help, the layout of what is printed, exit codes, and the handling of the terminal
// (standard streams, interrupts, child processes). Every command that looks at or changes a cluster speaks HTTP through
// `ConsulClient`, as any other user does; only `agent` and `validate` look inside, at `Agent` and `AgentConfiguration`.
//
// It must not know: how an agent stores, replicates or gossips anything.
//
//     main ─ CommandTree ─ Command(flags, help, run) ─ Invocation(values, arguments, console, environment)
//
// Flags follow the conventions of the reference's tool, which scripts rely on: `-name=value`, `-name value`, `--name`,
// `-switch`, `-switch=false`, no bundling, parsing ends at the first word that is not a flag. That is a different
// grammar from the GNU style that argument-parsing packages implement, hence the small `FlagParser` of this room.

import Glibc

public enum CommandLineInterface {
  /// Runs the command that the process was started with, and ends the process with its exit code.
  public static func main() async -> Never {
    let code = await run(
      arguments: Array(CommandLine.arguments.dropFirst()), environment: .ofProcess(), console: .standard)
    exit(code)
  }

  /// Runs one command.
  ///
  /// - Parameters:
  ///   - arguments: the words after the program's name.
  ///   - environment: where `CONSUL_*`, `SHELL` and the like are looked up.
  ///   - console: receives what the command prints.
  /// - Returns: the exit code: 0 for success, 1 for most failures, 127 for an unknown command.
  static func run(arguments: [String], environment: Environment, console: Console) async -> Int32 {
    if let line = environment["COMP_LINE"] {
      let completion = Completion(tree: .root)
      for word in completion.candidates(line, point: environment["COMP_POINT"].flatMap { Int($0) }) {
        console.out(word)
      }
      return 0
    }
    if let code = CompletionCommand.run(arguments, environment: environment, console: console) { return code }
    switch CommandTree.root.resolve(arguments) {
    case .version:
      console.out(VersionReport.pretty)
      return 0
    case .help(let text, let code):
      // Help that was asked for goes to standard output, help instead of a result to standard error.
      code == 0 ? console.out(text) : console.err(text)
      return code
    case .command(let command, let words):
      return await command.perform(words, environment: environment, console: console)
    }
  }
}
