// What a replica tells about itself.

extension Replica {
  /// Set if this server alone decides: once this index is applied, the state machine has everything that was decided
  /// before it began to lead.
  var uncontestedFrom: LogIndex? {
    guard failure == nil, core.isLeader, core.isOnlyVoter else { return nil }
    return core.leadership?.termStart
  }

  func status(isShutDown: Bool) -> RaftStatus {
    let applied = progress.index.load(ordering: .acquiring)
    let state: RaftStatus.State =
      if isShutDown || failure != nil {
        .shutdown
      } else {
        switch core.role {
        case .follower: .follower
        case .candidate: .candidate
        case .leader: .leader
        }
      }
    let contact: Duration? =
      core.isLeader ? .zero : core.lastContact.map { .nanoseconds(Int64(clamping: now.since($0))) }
    return RaftStatus(
      state: state, term: core.term, leader: core.leader, lastLogIndex: core.log.lastIndex,
      lastLogTerm: core.log.lastTerm, commitIndex: core.commitIndex, appliedIndex: applied,
      pendingApplyCount: core.commitIndex > applied ? core.commitIndex - applied : 0,
      lastSnapshotIndex: core.log.snapshotIndex, lastSnapshotTerm: core.log.snapshotTerm,
      latestConfiguration: core.membership.latest, latestConfigurationIndex: core.membership.latestIndex,
      peerCount: core.membership.latest.servers.reduce(0) {
        $0 + ($1.suffrage == .voter && $1.id != options.id ? 1 : 0)
      },
      peers: peers, lastContact: contact, failure: failure)
  }

  private var peers: [PeerStatus] {
    guard let leadership = core.leadership else { return [] }
    return leadership.progress.map {
      PeerStatus(
        id: $0.server.id, lastContact: .nanoseconds(Int64(clamping: now.since($0.lastContact))),
        matchIndex: $0.matchIndex, matchTerm: core.log.term(at: $0.matchIndex) ?? 0)
    }
  }
}
