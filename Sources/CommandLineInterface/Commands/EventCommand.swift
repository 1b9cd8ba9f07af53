import ConsulClient

/// `consul event`: tells all agents of a datacenter, or some, that something happened.
enum EventCommand {
  private static let name = Flag.string("name", "Name of the event.")

  static var command: Command {
    Command(
      usage: "Usage: consul event [options] [payload]",
      about: """
        Fires an event of your own in the datacenter. It has a name and may carry a short payload; expressions can
        narrow down which agents it is for. Delivery is by gossip: fast, to all, without a guarantee.

            $ consul event -name=deploy -service=web 1609030
        """,
      clientFlags: ClientFlags.connection,
      flags: [name.any] + EventTarget.flags,
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    guard invocation.arguments.count <= 1 else {
      throw CommandFailure("Too many command line arguments.", showsHelp: true)
    }
    guard !invocation[name].isEmpty else { throw CommandFailure("Event name must be specified", showsHelp: true) }
    let target = try EventTarget.target(invocation)
    let client = try invocation.client()
    // An agent that cannot be asked for its name is not asked to tell others.
    _ = try await explaining("Error querying Consul agent") { try await client.agent.describe() }
    let id = try await explaining("Error firing event") {
      try await client.events.fire(
        invocation[name], payload: Array((invocation.arguments.first ?? "").utf8),
        target: target)
    }
    invocation.console.out("Event ID: \(id)")
    return 0
  }
}
