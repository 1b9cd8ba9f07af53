@testable import Consensus
@testable import Server
@testable import Simulation

/// Consensus as the duties of a simulated leader see it. What they ask for is carried out between the steps of the simulation.
final class SimulatedConsensus: ConsensusMembership, @unchecked Sendable {
  // Sendable: a simulation has one thread.

  struct Request {
    var change: ConfigurationChange
    var completion: @Sendable (Result<Applied, RaftError>) -> Void
  }

  let ownID: ServerID
  private let replica: Replica
  private(set) var requests: [Request] = []

  init(_ replica: Replica, id: ServerID) {
    self.replica = replica
    ownID = id
  }

  var latestConfiguration: RaftConfiguration { replica.core.membership.latest }
  var currentStatus: RaftStatus { replica.status(isShutDown: false) }

  func change(_ change: ConfigurationChange, completion: @escaping @Sendable (Result<Applied, RaftError>) -> Void) {
    requests.append(Request(change: change, completion: completion))
  }

  func takeRequests() -> [Request] {
    defer { requests = [] }
    return requests
  }
}

/// Watches what leaders do about who takes part in consensus.
final class ElectorateJudge: @unchecked Sendable {
  // Sendable: a simulation has one thread.

  private(set) var promoted = 0
  private(set) var removed = 0
  /// Servers that leave because they were told to: that they go is nobody's mistake.
  var departing: Set<ServerID> = []
  /// What a leader has asked for and has no answer to yet: it may still be carried out.
  private var removing: [ServerID: Set<ServerID>] = [:]

  /// A server begins a new life: what it asked for in the one before is known to nobody.
  func returned(_ id: ServerID) {
    departing.remove(id)
    removing[id] = nil
  }

  /// A change is carried out, or will never be.
  func settled(_ change: ConfigurationChange, by ownID: ServerID) {
    if case .removeServer(let id) = change { removing[ownID]?.remove(id) }
  }

  /// Why a change must not be made: those that the leader hears from are a majority now, and would be none afterwards.
  func objection(
    to change: ConfigurationChange, by status: RaftStatus, ownID: ServerID, lease: Duration
  ) -> String? {
    let voters = Set(status.latestConfiguration.servers.filter { $0.suffrage == .voter }.map(\.id))
    guard case .removeServer(let id) = change else {
      if case .addVoter = change { promoted += 1 }
      return nil
    }
    removed += 1
    guard voters.contains(id), !departing.contains(id) else { return nil }
    let gone = removing[ownID, default: []].intersection(voters).union([id])
    removing[ownID] = gone
    let heard = Self.heard(status, ownID: ownID, lease: lease)
    let rest = voters.subtracting(gone)
    guard voters.intersection(heard).count > voters.count / 2, rest.intersection(heard).count <= rest.count / 2 else {
      return nil
    }
    return "\(ownID) removes \(gone.sorted()) of \(voters.sorted()), but hears only from \(heard.sorted())"
  }

  /// A voter that others cannot do without, while one is not heard from.
  func indispensable(_ status: RaftStatus, ownID: ServerID, lease: Duration) -> ServerID? {
    let voters = status.latestConfiguration.servers.filter { $0.suffrage == .voter }.map(\.id)
    let heard = Self.heard(status, ownID: ownID, lease: lease)
    return voters.allSatisfy(heard.contains) ? nil : voters.first { $0 != ownID && heard.contains($0) }
  }

  private static func heard(_ status: RaftStatus, ownID: ServerID, lease: Duration) -> Set<ServerID> {
    Set(status.peers.filter { $0.lastContact <= lease }.map(\.id)).union([ownID])
  }
}
