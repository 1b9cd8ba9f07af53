// How a cluster begins.

extension RaftCore {
  /// Nothing was ever decided or promised here: at most an earlier seeding was interrupted.
  var isUntouched: Bool {
    log.lastIndex == 0 && log.snapshotIndex == 0 && membership.latest.servers.isEmpty && hardState.term <= 1
      && hardState.votedFor == nil
  }

  /// Writes the first configuration: entry 1 of term 1. Every server of a new cluster may do so, as long as all of them write
  /// the same (the dissertation, section 4.3).
  mutating func seed(_ configuration: RaftConfiguration, now: MonotonicInstant) {
    guard isUntouched else { return emit(.refused(.alreadyBootstrapped)) }
    guard configuration.servers.contains(where: { $0.suffrage == .voter }) else {
      return emit(.refused(.configurationChange(.noVoterLeft)))
    }
    hardState = HardState(term: 1)
    log.append(term: 1)
    membership.append(configuration, index: 1)
    emit(.membershipChanged)
    emit(.append([LogEntry(index: 1, term: 1, kind: .configuration, data: configuration.encoded())]))
    electionDeadline = isOnlyVoter ? now : now + random.timeout(timing.heartbeat)
  }
}
