import ConsulClient
import Model

/// `consul intention …`: who may call whom.
enum IntentionCommands {
  static let group = CommandGroup(
    usage: "Usage: consul intention <subcommand> [options] [args]",
    about: """
      Works with intentions: they say which services may connect to which.

          $ consul intention create web db
          $ consul intention check web db
          $ consul intention list
          $ consul intention match db
      """,
    entries: [
      .command("check", "Tells whether one service may connect to another") { check },
      .command("create", "Makes intentions") { IntentionCreate.command },
      .command("delete", "Deletes an intention") { delete },
      .command("get", "Shows an intention") { get },
      .command("list", "Lists the intentions") { list },
      .command("match", "Shows the intentions about a service") { match },
    ])

  static var check: Command {
    Command(
      usage: "Usage: consul intention check [options] SRC DST",
      about: """
        Tells whether a service may connect to another. The exit code is 0 if it may, 1 if not, and 2 if that is not known.

            $ consul intention check web db
        """,
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy
    ) { invocation in
      guard invocation.arguments.count == 2 else {
        throw CommandFailure("Error: command requires exactly two arguments: src and dst", code: 2)
      }
      let client = try invocation.client()
      do {
        let isAllowed = try await client.intentions.check(
          source: invocation.arguments[0], destination: invocation.arguments[1], invocation.queryOptions)
        invocation.console.out(isAllowed ? "Allowed" : "Denied")
        return isAllowed ? 0 : 1
      } catch {
        throw CommandFailure("Error checking the connection: \(describe(error))", code: 2)
      }
    }
  }

  static var list: Command {
    Command(
      usage: "Usage: consul intention list [options]",
      about: "Lists the intentions, in the order in which they are asked.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy
    ) { invocation in
      let client = try invocation.client()
      let intentions = try await explaining("Failed to retrieve the intentions list") {
        try await client.intentions.list(invocation.queryOptions)
      }
      if intentions.isEmpty { throw CommandFailure("There are no intentions.", code: 2) }
      let rows = intentions.map { [$0.id, $0.sourceName, $0.action, $0.destinationName, String($0.precedence)] }
      invocation.console.out(Columns.render([["ID", "Source", "Action", "Destination", "Precedence"]] + rows))
      return 0
    }
  }

  // MARK: - One intention

  /// What the one or two arguments of a command name.
  private enum Target {
    case id(String)
    case ends(source: String, destination: String)

    init(_ invocation: Invocation) throws {
      switch invocation.arguments.count {
      case 1: self = .id(invocation.arguments[0])
      case 2: self = .ends(source: invocation.arguments[0], destination: invocation.arguments[1])
      default: throw CommandFailure("command requires exactly 1 or 2 arguments")
      }
    }

    var missing: CommandFailure {
      switch self {
      case .id(let id): CommandFailure("Intention not found with ID \(id.goQuoted)")
      case .ends(let source, let destination):
        CommandFailure("Intention not found with source \(source.goQuoted) and destination \(destination.goQuoted)")
      }
    }
  }

  static var get: Command {
    Command(
      usage: "Usage: consul intention get [options] SRC DST", about: "Shows an intention, by its ends or its id.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy
    ) { invocation in
      let target = try Target(invocation)
      let client = try invocation.client()
      let found = try await explaining("Error reading the intention") {
        switch target {
        case .id(let id): try await client.intentions.read(id: id, invocation.queryOptions)
        case .ends(let source, let destination):
          try await client.intentions.read(source: source, destination: destination, invocation.queryOptions)
        }
      }
      guard let found else { throw target.missing }
      invocation.console.out(text(of: found))
      return 0
    }
  }

  static func text(of intention: Intention) -> String {
    var rows = [["Source:", intention.sourceName], ["Destination:", intention.destinationName]]
    if !intention.action.isEmpty { rows.append(["Action:", intention.action]) }
    if !intention.id.isEmpty { rows.append(["ID:", intention.id]) }
    if !intention.description.isEmpty { rows.append(["Description:", intention.description]) }
    for (key, value) in intention.meta.map({ ($0.key, $0.value) }) { rows.append(["Meta[\(key)]:", value]) }
    rows.append(["Created At:", intention.createdAt.longText])
    let table = Columns.render(rows)
    guard !intention.permissions.isEmpty else { return table }
    var writer = JSONWriter()
    intention.permissions.encodeJSON(&writer, [])
    let json = writer.finish().withUnsafeBytes { prettyJSON($0, indent: "  ") }
    return table + "\nPermissions:\n" + String(decoding: json, as: UTF8.self).trimmed
  }

  static var delete: Command {
    Command(
      usage: "Usage: consul intention delete [options] SRC DST", about: "Deletes an intention, by its ends or its id.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy
    ) { invocation in
      let target = try Target(invocation)
      let client = try invocation.client()
      try await explaining("Error deleting the intention") {
        switch target {
        case .id(let id): try await client.intentions.delete(id: id)
        case .ends(let source, let destination):
          try await client.intentions.delete(source: source, destination: destination)
        }
      }
      invocation.console.out("Intention deleted.")
      return 0
    }
  }

  // MARK: - About a service

  private static let bySource = Flag.bool("source", "Intentions for connections that the service makes.")
  private static let byDestination = Flag.bool("destination", "Intentions for connections to the service (default).")

  static var match: Command {
    Command(
      usage: "Usage: consul intention match [options] SRC|DST",
      about: "Shows the intentions about a service, in the order in which they are asked.",
      clientFlags: ClientFlags.query, flags: ClientFlags.tenancy + [byDestination.any, bySource.any]
    ) { invocation in
      guard invocation.arguments.count == 1, let service = invocation.arguments.first else {
        throw CommandFailure("Error: command requires exactly one argument: src or dst")
      }
      if invocation[bySource], invocation[byDestination] {
        throw CommandFailure("Error: only one of -source or -destination may be specified")
      }
      let client = try invocation.client()
      let side = invocation[bySource] ? "source" : "destination"
      let found = try await explaining("Error matching the connection") {
        try await client.intentions.match(service, by: side, invocation.queryOptions)
      }
      for intention in found { invocation.console.out(intention.summary) }
      return 0
    }
  }
}

extension Intention {
  /// `web => db (allow)`
  var summary: String {
    let detail =
      permissions.isEmpty ? action : "\(permissions.count) permission\(permissions.count == 1 ? "" : "s")"
    return "\(sourceName) => \(destinationName) (\(detail))"
  }
}
