import ConsulClient

/// `consul join`, `leave`, `force-leave` and `reload`: the life of an agent in its cluster.
enum MembershipCommands {
  private static let joinWAN = Flag.bool("wan", "Join servers of other datacenters; only servers can.")
  private static let leaveWAN = Flag.bool("wan", "Only take the member out of the pool of all datacenters' servers.")
  private static let prune = Flag.bool("prune", "Forget the member altogether.")

  static var join: Command {
    Command(
      usage: "Usage: consul join [options] address ...",
      about: "Makes a running agent join the cluster that at least one of the addresses belongs to.",
      clientFlags: ClientFlags.connection,
      flags: [ClientFlags.partition.any, joinWAN.any]
    ) { invocation in
      guard !invocation.arguments.isEmpty else {
        throw CommandFailure("At least one address to join must be specified.", showsHelp: true)
      }
      let agent = try invocation.client().agent
      var joined = 0
      for address in invocation.arguments {
        do {
          try await agent.join(address, wan: invocation[joinWAN])
          joined += 1
        } catch {
          invocation.console.err("Error joining address '\(address)': \(describe(error))")
        }
      }
      guard joined > 0 else { throw CommandFailure("Failed to join any nodes.") }
      invocation.console.out("Successfully joined cluster by contacting \(joined) nodes.")
      return 0
    }
  }

  static var leave: Command {
    Command(
      usage: "Usage: consul leave [options]",
      about: "Makes the agent leave the cluster and end. The others then do not count it as failed.",
      clientFlags: ClientFlags.connection
    ) { invocation in
      guard invocation.arguments.isEmpty else {
        throw CommandFailure(
          "Error found unexpected args: [\(invocation.arguments.joined(separator: " "))]", helpOnOutput: true)
      }
      let agent = try invocation.client().agent
      try await explaining("Error leaving") { try await agent.leave() }
      invocation.console.out("Graceful leave complete")
      return 0
    }
  }

  static var forceLeave: Command {
    Command(
      usage: "Usage: consul force-leave [options] name",
      about: """
        Counts a failed member as one that left, so that the cluster stops trying to reach it. A member that is alive
        after all comes back by itself. With -prune it also disappears from the list of members.
        """,
      clientFlags: ClientFlags.connection,
      flags: [ClientFlags.partition.any, prune.any, leaveWAN.any]
    ) { invocation in
      guard invocation.arguments.count == 1 else {
        throw CommandFailure("A single node name must be specified to force leave.", showsHelp: true)
      }
      let agent = try invocation.client().agent
      try await explaining("Error force leaving") {
        try await agent.forceLeave(invocation.arguments[0], prune: invocation[prune], wan: invocation[leaveWAN])
      }
      return 0
    }
  }

  static var reload: Command {
    Command(
      usage: "Usage: consul reload [options]",
      about: """
        Makes the agent read its configuration files again. Not every option takes effect before a restart; a
        configuration with an error changes nothing and is reported here.
        """,
      clientFlags: ClientFlags.connection
    ) { invocation in
      let agent = try invocation.client().agent
      try await explaining("Error reloading") { try await agent.reload() }
      invocation.console.out("Configuration reload triggered")
      return 0
    }
  }
}
