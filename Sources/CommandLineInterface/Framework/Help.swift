/// The layouts in which a command and its flags are described. Pure text, no terminal.
enum Help {
  /// Width of a line of a flag's description, without its indentation.
  private static let descriptionWidth = 67

  /// The full help of a command: `-h`.
  static func page(of command: Command) -> String {
    var sections = [command.usage + "\n\n" + indented(command.about)]
    if !command.clientFlags.isEmpty {
      sections.append("HTTP API Options\n\n" + command.clientFlags.sortedByName.map(entry).joined(separator: "\n\n"))
    }
    if !command.flags.isEmpty {
      sections.append("Command Options\n\n" + command.flags.sortedByName.map(entry).joined(separator: "\n\n"))
    }
    return sections.joined(separator: "\n\n")
  }

  /// The help of a group: what it is for, and its subcommands.
  static func page(usage: String, about: String, entries: [(name: String, synopsis: String)]) -> String {
    usage + "\n\n" + indented(about) + "\n\nSubcommands:\n" + table(of: entries)
  }

  /// The list of commands of the program itself.
  static func overview(entries: [(name: String, synopsis: String)]) -> String {
    "Usage: consul [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n" + table(of: entries) + "\n"
  }

  /// The terse list of all flags that follows a complaint about one of them.
  static func flagList(_ flags: [AnyFlag]) -> String {
    var lines = ["Usage:"]
    for flag in flags.sortedByName {
      lines.append("  -\(flag.name)" + (flag.placeholder.map { " \($0)" } ?? ""))
      lines.append("    \t\(flag.help)" + (flag.shownDefault.map { " (default \($0))" } ?? ""))
    }
    return lines.joined(separator: "\n")
  }

  /// `  -name=<value>` and its description, wrapped and indented.
  private static func entry(_ flag: AnyFlag) -> String {
    let head = "  -\(flag.name)" + (flag.placeholder.map { "=<\($0)>" } ?? "")
    return ([head] + wrapped(flag.help, width: descriptionWidth).map { "     " + $0 }).joined(separator: "\n")
  }

  private static func table(of entries: [(name: String, synopsis: String)]) -> String {
    let width = entries.map(\.name.count).max() ?? 0
    return entries.map { name, synopsis in
      "    \(name)\(String(repeating: " ", count: width - name.count))    \(synopsis)"
    }.joined(separator: "\n")
  }

  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : "  " + $0 }.joined(separator: "\n")
  }

  /// Breaks a paragraph at spaces into lines of at most `width` characters; a longer word gets a line of its own.
  static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty && line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}

extension [AnyFlag] {
  var sortedByName: [AnyFlag] {
    sorted { $0.name < $1.name }
  }
}
