import ConsulClient

/// `consul operator raft …`: who takes part in consensus.
enum RaftCommands {
  static let group = CommandGroup(
    usage: "Usage: consul operator raft <subcommand> [options]",
    about: "Shows and changes which servers take part in consensus.",
    entries: [
      .command("list-peers", "Lists the servers that take part in consensus") { listPeers },
      .command("remove-peer", "Takes a server out of consensus") { removePeer },
      .command("transfer-leader", "Hands leadership to another server") { transferLeader },
    ])

  static var listPeers: Command {
    Command(
      usage: "Usage: consul operator raft list-peers [options]",
      about: "Lists the servers that take part in consensus, and how far behind the leader each of them is.",
      clientFlags: ClientFlags.query
    ) { invocation in
      let client = try invocation.client()
      let servers = try await explaining("Error getting peers: Failed to retrieve raft configuration") {
        try await client.operator.raftServers(invocation.queryOptions)
      }
      invocation.console.out(table(of: servers))
      return 0
    }
  }

  static func table(of servers: [OperatorEndpoint.RaftServer]) -> String {
    let head = ["Node", "ID", "Address", "State", "Voter", "RaftProtocol", "Commit Index", "Trails Leader By"]
    let leader = servers.first { $0.isLeader }
    let rows = servers.map { server in
      [
        server.node, server.id, server.address, server.isLeader ? "leader" : "follower", String(server.isVoter),
        server.protocolVersion.isEmpty ? "<=1" : server.protocolVersion, String(server.lastIndex),
        trail(server, leader),
      ]
    }
    return Columns.render([head] + rows)
  }

  private static func trail(
    _ server: OperatorEndpoint.RaftServer, _ leader: OperatorEndpoint.RaftServer?
  ) -> String {
    guard !server.isLeader, let leader else { return "-" }
    let count = leader.lastIndex > server.lastIndex ? leader.lastIndex - server.lastIndex : 0
    return "\(count) \(count == 1 ? "commit" : "commits")"
  }

  private static let removedID = Flag.string("id", "Id of the server to remove.")
  private static let removedAddress = Flag.string("address", "Address of the server to remove, as host:port.")

  static var removePeer: Command {
    Command(
      usage: "Usage: consul operator raft remove-peer [options]",
      about: """
        Takes a server out of consensus for good, by its id or its address. For servers that are gone and left nobody
        who could do so; others are better made to leave, or forced to with "consul force-leave".
        """,
      clientFlags: ClientFlags.query,
      flags: [removedID.any, removedAddress.any]
    ) { invocation in
      let (id, address) = (invocation[removedID], invocation[removedAddress])
      let failure = "Error removing peer"
      if id.isEmpty, address.isEmpty {
        throw CommandFailure("\(failure): an address or id is required for the peer to remove")
      }
      if !id.isEmpty, !address.isEmpty { throw CommandFailure("\(failure): cannot give both an address and id") }
      let client = try invocation.client()
      try await explaining(failure) { try await client.operator.removePeer(id: id, address: address) }
      invocation.console.out(
        address.isEmpty ? "Removed peer with id \"\(id)\"" : "Removed peer with address \"\(address)\"")
      return 0
    }
  }

  private static let targetID = Flag.string(
    "id", "Id of the server that is to lead; without it the one that is furthest along.")

  static var transferLeader: Command {
    Command(
      usage: "Usage: consul operator raft transfer-leader [options]",
      about: "Hands leadership to another server, for example before the leader is shut down.",
      clientFlags: ClientFlags.query,
      flags: [targetID.any]
    ) { invocation in
      let client = try invocation.client()
      let done = try await explaining("Error transfering leadership: Failed to transfer leadership") {
        try await client.operator.transferLeadership(to: invocation[targetID])
      } unless: { error in
        CommandFailure("Error transfering leadership: Failed to transfer leadership \(describe(error))")
      }
      guard done else { throw CommandFailure("Error transfering leadership: Failed to transfer leadership") }
      invocation.console.out("Success")
      return 0
    }
  }
}
