import ConsulClient
import Model

/// `consul config …`: config entries.
enum ConfigCommands {
  static let group = CommandGroup(
    usage: "Usage: consul config <subcommand> [options] [args]",
    about: """
      Works with config entries: what holds for services, proxies and gateways wherever they run.

          $ consul config write web.hcl
          $ consul config read -kind service-defaults -name web
          $ consul config list -kind service-defaults
          $ consul config delete -kind service-defaults -name web
      """,
    entries: [
      .command("delete", "Deletes a config entry") { delete },
      .command("list", "Lists the config entries of a kind") { list },
      .command("read", "Shows a config entry") { read },
      .command("write", "Creates or changes a config entry") { write },
    ])

  private static let kind = Flag.string("kind", "Kind of the entry, such as service-defaults.")
  private static let name = Flag.string("name", "Name of the entry.")
  private static let cas = Flag.bool("cas", "Only if the entry is still as -modify-index says.")
  private static let modifyIndex = Flag<UInt64>.uint(
    "modify-index", "The modify index that the entry must have with -cas; 0 if there must be none.")

  private static func requiredKind(_ invocation: Invocation) throws -> String {
    if invocation[kind].isEmpty { throw CommandFailure("Must specify the -kind parameter") }
    return invocation[kind]
  }

  private static func requiredName(_ invocation: Invocation) throws -> String {
    if invocation[name].isEmpty { throw CommandFailure("Must specify the -name parameter") }
    return invocation[name]
  }

  static var write: Command {
    Command(
      usage: "Usage: consul config write [options] FILE",
      about: """
        Creates the config entry that a file describes, in HCL or JSON, or replaces the one of its kind and name. The file
        - is standard input.

            $ consul config write web.hcl
        """,
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [cas.any, modifyIndex.any]
    ) { invocation in
      guard invocation.arguments.count == 1, let path = invocation.arguments.first else {
        throw CommandFailure("Must provide exactly one positional argument to specify the config entry to write")
      }
      let entry = try ConfigEntryFile.load(path, invocation)
      let client = try invocation.client()
      let title = "\(entry.kind.rawValue)/\(entry.name)"
      let expected = invocation[cas] ? invocation[modifyIndex] : nil
      _ = try await explaining("Error writing config entry \(title)") {
        try await client.configEntries.write(entry, ifIndex: expected)
      }
      invocation.console.out("Config entry written: \(title)")
      return 0
    }
  }

  static var read: Command {
    Command(
      usage: "Usage: consul config read [options] -kind KIND -name NAME", about: "Shows a config entry as JSON.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [kind.any, name.any]
    ) { invocation in
      let kind = try requiredKind(invocation)
      let name = try requiredName(invocation)
      let client = try invocation.client()
      var entry = try await explaining("Error reading config entry \(kind)/\(name)") {
        try await client.configEntries.read(kind, name, invocation.queryOptions)
      }
      // For machines alone: people would only ask what it means.
      entry.record.common.hash = 0
      let bytes = Array(entry.record.json.utf8).withUnsafeBytes { prettyJSON($0) }
      invocation.console.out(String(decoding: bytes, as: UTF8.self).trimmed)
      return 0
    }
  }

  private static let filter = Flag.string("filter", "Expression that the entries have to match.")

  static var list: Command {
    Command(
      usage: "Usage: consul config list [options] -kind KIND",
      about: "Lists the names of the config entries of a kind.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [kind.any, filter.any]
    ) { invocation in
      let kind = try requiredKind(invocation)
      var options = invocation.queryOptions
      options.filter = invocation[filter]
      let client = try invocation.client()
      let entries = try await explaining("Error listing config entries for kind \(kind.goQuoted)") { [options] in
        try await client.configEntries.list(kind, options)
      }
      for entry in entries { invocation.console.out(entry.name) }
      return 0
    }
  }

  // MARK: - Deletion

  private static let filename = Flag.string("filename", "File that describes the entry, instead of -kind and -name.")

  static var delete: Command {
    Command(
      usage: "Usage: consul config delete [options] ([-kind KIND -name NAME] | [-filename FILE])",
      about: "Deletes a config entry. One that does not exist is no error.",
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [kind.any, name.any, filename.any, cas.any, modifyIndex.any]
    ) { invocation in
      let (kind, name) = try target(invocation)
      let index = invocation[modifyIndex]
      if invocation[cas], index == 0 { throw CommandFailure("Must specify a -modify-index greater than 0 with -cas") }
      if !invocation[cas], index > 0 { throw CommandFailure("Cannot specify -modify-index without -cas") }
      let client = try invocation.client()
      let expected = invocation[cas] ? index : nil
      let isDeleted = try await explaining("Error deleting config entry \(kind)/\(name)") {
        try await client.configEntries.delete(kind, name, ifIndex: expected)
      }
      guard isDeleted else { throw CommandFailure("Config entry not deleted: \(kind)/\(name)") }
      invocation.console.out("Config entry deleted: \(kind)/\(name)")
      return 0
    }
  }

  private static func target(_ invocation: Invocation) throws -> (kind: String, name: String) {
    guard !invocation[filename].isEmpty else {
      if invocation[kind].isEmpty { throw CommandFailure("Must specify the -kind or -filename parameter") }
      return (invocation[kind], try requiredName(invocation))
    }
    if !invocation[kind].isEmpty || !invocation[name].isEmpty {
      throw CommandFailure("filename can't be used with kind or name")
    }
    let entry = try ConfigEntryFile.load(invocation[filename], invocation)
    return (entry.kind.rawValue, entry.name)
  }
}
