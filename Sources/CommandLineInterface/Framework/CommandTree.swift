/// The names of all commands and the way from words to a command. Nothing but the named one is built.
struct CommandTree: Sendable {
  enum Node: Sendable {
    case command(@Sendable () -> Command)
    case group(CommandGroup)
  }

  struct Entry: Sendable {
    let name: String
    let synopsis: String
    let node: Node
  }

  /// What the words ask for.
  enum Resolution: Sendable {
    case command(Command, words: [String])
    case help(String, code: Int32)
    case version
  }

  let entries: [Entry]

  /// Exit code for a name that is no command, that of a shell.
  private static let unknownCommand: Int32 = 127

  func resolve(_ words: [String]) -> Resolution {
    var entries = entries
    var group: CommandGroup?
    var rest = words[...]
    while true {
      let leading = rest.prefix { $0.hasPrefix("-") && $0 != "-" && $0 != "--" }
      let help = group.map { $0.help } ?? overview
      if leading.contains(where: { $0 == "-h" || $0 == "-help" || $0 == "--help" }) {
        return .help(help, code: 0)
      }
      if group == nil && leading.contains(where: { $0 == "-v" || $0 == "-version" || $0 == "--version" }) {
        return .version
      }
      guard leading.isEmpty else {
        return .help("Flags belong after the command, not before it.\n\n" + help, code: 1)
      }
      guard let name = rest.popFirst(), let entry = entries.first(where: { $0.name == name }) else {
        return .help(help, code: group == nil ? Self.unknownCommand : 1)
      }
      switch entry.node {
      case .command(let make): return .command(make(), words: Array(rest))
      case .group(let found): (group, entries) = (found, found.entries)
      }
    }
  }

  private var overview: String {
    Help.overview(entries: entries.map { ($0.name, $0.synopsis) })
  }
}

/// A command that only has subcommands.
struct CommandGroup: Sendable {
  let usage: String
  let about: String
  let entries: [CommandTree.Entry]

  var help: String {
    Help.page(usage: usage, about: about, entries: entries.map { ($0.name, $0.synopsis) })
  }
}

extension CommandTree.Entry {
  static func command(
    _ name: String, _ synopsis: String, _ make: @escaping @Sendable () -> Command
  ) -> CommandTree.Entry {
    CommandTree.Entry(name: name, synopsis: synopsis, node: .command(make))
  }

  static func group(_ name: String, _ synopsis: String, _ group: CommandGroup) -> CommandTree.Entry {
    CommandTree.Entry(name: name, synopsis: synopsis, node: .group(group))
  }
}
