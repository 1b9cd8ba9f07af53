import Consensus
import Model

/// Who takes part in consensus: what a leader changes when servers come, move and go, and when autopilot finds servers
/// healthy or dead. A pure core.
struct Electorate: Sendable {
  /// The leader itself.
  let ownID: ServerID
  let configuration: RaftConfiguration

  /// What has to change so that a server that is alive takes part; the changes must be made in this order.
  ///
  /// - Parameter others: All servers of the pool.
  func changes(for server: ServerMember, among others: [ServerMember]) -> [ConfigurationChange] {
    guard server.id != ownID, !server.id.isEmpty else { return [] }
    // Two servers that would each begin a cluster of their own must not become one.
    if server.bootstraps, others.contains(where: { $0.bootstraps && $0.id != server.id }) { return [] }
    var changes: [ConfigurationChange] = []
    for entry in configuration.servers {
      if entry.id == server.id {
        if entry.address == server.rpcAddress { return changes }
      } else if entry.address == server.rpcAddress {
        // The machine has a new server; the one before cannot come back to this address.
        changes.append(.removeServer(id: entry.id))
      }
    }
    // A voter keeps its vote; a new server gets one when autopilot finds it stable.
    changes.append(.addNonVoter(id: server.id, address: server.rpcAddress))
    return changes
  }

  /// What has to change when a server left of its own will, or was forgotten.
  func changes(afterLeaving server: ServerMember) -> [ConfigurationChange] {
    guard server.id != ownID, configuration.servers.contains(where: { $0.id == server.id }) else { return [] }
    return [.removeServer(id: server.id)]
  }
}

/// What autopilot does about the servers, besides judging their health. A pure core.
struct AutopilotDecisions: Sendable {
  let configuration: AutopilotConfiguration
  /// Since when this leader watches; who is healthy from then on has shown what can be shown.
  let watchingSince: Timestamp

  /// Servers that get a vote: those that have been healthy for long enough and are not meant to go without.
  func promotions(_ state: AutopilotState, replicas: Set<ServerID>, now: Timestamp) -> [ServerID] {
    // A cluster that has just found its leader need not wait for what nobody could have seen.
    let needed =
      now.since(watchingSince) <= configuration.serverStabilizationTime
      ? GoDuration.zero : configuration.serverStabilizationTime
    return state.servers.compactMap { server in
      guard !server.observation.isVoter, server.isHealthy, !replicas.contains(server.observation.id),
        now.since(server.stableSince) >= needed
      else { return nil }
      return server.observation.id
    }
  }

  /// Dead servers that the others can do without: at most a minority of the voters, never below the quorum that was asked
  /// for, and only while those that the leader hears from are a majority of the rest. Non-voters first, since nobody needs
  /// them.
  ///
  /// Gossip alone does not make a server dead: it may take one for failed that takes part in consensus, while another that is
  /// gone is not noticed yet. Without the first, the change could not even be decided.
  func removals(_ state: AutopilotState) -> [ServerID] {
    guard configuration.cleanupDeadServers else { return [] }
    let dead = state.servers.filter { isDead($0) && !$0.isLeader }
    let deadVoters = dead.filter(\.observation.isVoter)
    let heard = state.servers.count { $0.observation.isVoter && isHeard($0) && !isDead($0) }
    var voters = state.voters.count
    var room = max(voters - 1, 0) / 2
    var removals = dead.filter { !$0.observation.isVoter }.map(\.observation.id)
    for server in deadVoters {
      guard room > 0, voters - 1 >= Int(clamping: configuration.minQuorum), heard > (voters - 1) / 2 else { break }
      room -= 1
      voters -= 1
      removals.append(server.observation.id)
    }
    return removals
  }

  private func isDead(_ server: AutopilotState.Server) -> Bool {
    switch server.observation.nodeStatus {
    case "left": true
    case "failed", "none": !isHeard(server)
    default: false
    }
  }

  private func isHeard(_ server: AutopilotState.Server) -> Bool {
    server.isLeader || server.observation.lastContact.map { $0 <= configuration.lastContactThreshold } ?? false
  }
}
