import Consensus

/// When servers that were told how many they will be (`bootstrap_expect`) begin a cluster. A pure core.
enum ClusterBirth {
  enum Decision: Sendable, Equatable {
    /// Not enough servers yet.
    case wait
    /// They do not agree on how many they are; an operator has to mend that.
    case conflict(String)
    /// Ask these whether they know of a cluster; if none does, begin one with this configuration.
    case begin(asking: [ServerMember], RaftConfiguration)
  }

  /// - Parameters:
  ///   - servers: The servers of the datacenter in the pool, this one among them.
  ///   - expect: How many this server waits for.
  static func decide(_ servers: [ServerMember], ownID: ServerID, expect: Int, datacenter: String) -> Decision {
    let ours = servers.filter { $0.datacenter == datacenter && ($0.status == .alive || $0.id == ownID) }
    for server in ours {
      if server.expect != 0, server.expect != expect {
        return .conflict(
          "Member \(server.name) has a conflicting expect value. All nodes should expect the same number")
      }
      if server.bootstraps {
        return .conflict("Member \(server.name) has bootstrap mode. Expect disabled")
      }
    }
    let voters = ours.filter { !$0.isReadReplica }
    guard voters.count >= expect, voters.contains(where: { $0.id == ownID }) else { return .wait }
    let configuration = RaftConfiguration(
      servers: ours.sorted { $0.id < $1.id }.map {
        RaftServer(id: $0.id, address: $0.rpcAddress, suffrage: $0.isReadReplica ? .nonVoter : .voter)
      })
    return .begin(asking: ours.filter { $0.id != ownID }, configuration)
  }
}
