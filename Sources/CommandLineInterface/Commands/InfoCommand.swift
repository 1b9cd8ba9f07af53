import ConsulClient
import Model

/// `consul info`: an agent's own statistics.
enum InfoCommand {
  static var command: Command {
    Command(
      usage: "Usage: consul info [options]",
      about: """
        Prints what the agent knows of itself, for operators who look for the cause of a problem: its checks and
        services, consensus on a server, the gossip pools, the process.
        """,
      clientFlags: ClientFlags.connection
    ) { invocation in
      let agent = try invocation.client().agent
      let description = try await explaining("Error querying agent") { try await agent.describe() }
      invocation.console.out(report(description["Stats"] ?? .null))
      return 0
    }
  }

  /// Sections and their entries, both sorted.
  static func report(_ statistics: Dynamic) -> String {
    let sections = (statistics.object ?? DynamicObject()).sorted { $0.key < $1.key }
    return sections.map { name, entries in
      let lines = (entries.object ?? DynamicObject()).sorted { $0.key < $1.key }
        .map { "\t\($0.key) = \($0.value.string ?? $0.value.json)" }
      return (["\(name):"] + lines).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
