// Leading: taking office, proposals, commitment, the lease, confirming leadership, handing it over.

extension RaftCore {
  mutating func becomeLeader(now: MonotonicInstant) {
    role = .leader
    candidacy = nil
    electionDeadline = nil
    leadership = Leadership(
      progress: [], termStart: log.lastIndex + 1, leaseCheckAt: nil)
    setLeader(membership.latest.server(id) ?? RaftServer(id: id, address: address))
    emit(.becameLeader(term: term))
    followMembership(now: now)
    appendOwn([LogEntry(index: 0, term: 0, kind: .noop)], now: now)
  }

  mutating func propose(_ entries: [LogEntry], now: MonotonicInstant) {
    if let obstacle = proposalObstacle {
      emit(.refused(obstacle))
      return
    }
    appendOwn(entries, now: now)
  }

  /// Gives entries their place in the log. They are sent to followers while the own disk is still writing.
  mutating func appendOwn(_ proposed: [LogEntry], now: MonotonicInstant) {
    var entries = proposed
    for position in entries.indices {
      log.append(term: term)
      entries[position].index = log.lastIndex
      entries[position].term = term
    }
    emit(.append(entries))
    replicateToAll(now: now)
  }

  mutating func logDurable(index: LogIndex, term entryTerm: Term, now: MonotonicInstant) {
    log.markDurable(index, term: entryTerm)
    answerDurableAppends()
    if isLeader { advanceCommit(now: now) }
  }

  /// An entry of the own term that a quorum has stored is committed, and with it all before (the paper, section 5.4.2).
  mutating func advanceCommit(now: MonotonicInstant) {
    guard let leadership else { return }
    let index = quorumIndex(leadership)
    guard index > commitIndex, index >= leadership.termStart else { return }
    commit(through: index, now: now)
    guard isLeader else { return }
    advanceTransfer(now: now)
  }

  /// The highest index that a majority of voters has stored. The leader counts itself once its own write is durable.
  private func quorumIndex(_ leadership: Leadership) -> LogIndex {
    let configuration = membership.latest
    if leadership.progress.isEmpty { return isVoter ? log.durableIndex : 0 }
    var stored: [LogIndex] = isVoter ? [log.durableIndex] : []
    for progress in leadership.progress where progress.server.suffrage == .voter { stored.append(progress.matchIndex) }
    let quorum = configuration.quorum
    guard stored.count >= quorum else { return 0 }
    stored.sort(by: >)
    return stored[quorum - 1]
  }

  mutating func commit(through index: LogIndex, now: MonotonicInstant) {
    precondition(index <= log.lastIndex, "only entries that exist are committed")
    commitIndex = index
    emit(.commit(through: index))
    guard membership.commit(through: index) else { return }
    emit(.membershipChanged)
    // A leader that is not part of the committed configuration manages it until here (the paper, section 6).
    if isLeader, !isVoter { becomeFollower(term: term, now: now) }
  }

  // MARK: Timers

  mutating func leaderTimersFired(now: MonotonicInstant) {
    checkLease(now: now)
    guard isLeader else { return }
    if let transfer = leadership?.transfer, transfer.deadline <= now {
      leadership?.transfer = nil
      emit(.transferFinished(.failure(.leadershipTransferTimedOut)))
    }
    for position in 0..<(leadership?.progress.count ?? 0) {
      if let progress = leadership?.progress[position], progress.heartbeatAt <= now {
        sendHeartbeat(position, now: now, force: false)
      }
      if let retryAt = leadership?.progress[position].retryAt, retryAt <= now {
        leadership?.progress[position].retryAt = nil
        replicate(position, allowEmpty: true, now: now)
      } else if let progress = leadership?.progress[position], progress.idleAppendAt <= now {
        leadership?.progress[position].idleAppendAt = now + random.timeout(timing.commit)
        replicate(position, allowEmpty: true, now: now)
      }
    }
  }

  /// Steps down when a quorum has not answered within the lease (the dissertation, section 6.2).
  private mutating func checkLease(now: MonotonicInstant) {
    guard let leadership, let due = leadership.leaseCheckAt, due <= now else { return }
    var fresh = isVoter ? 1 : 0
    var largestAge: UInt64 = 0
    for progress in leadership.progress where progress.server.suffrage == .voter {
      let age = now.since(progress.lastContact)
      guard age <= timing.lease else { continue }
      fresh += 1
      largestAge = max(largestAge, age)
    }
    guard fresh >= membership.latest.quorum else {
      becomeFollower(term: term, now: now)
      return
    }
    self.leadership?.leaseCheckAt = now + max(timing.lease - largestAge, 10_000_000)
  }

  // MARK: Confirming leadership (the dissertation, section 6.4)

  mutating func verifyLeader(id request: UInt64, now: MonotonicInstant) {
    guard isLeader else {
      emit(.verificationFailed(ids: [request]))
      return
    }
    leadership?.verifyNext.append(request)
    startVerificationRound(now: now)
  }

  /// One round of heartbeats serves everybody who waited before it began.
  private mutating func startVerificationRound(now: MonotonicInstant) {
    guard let state = leadership, state.verifying.isEmpty, !state.verifyNext.isEmpty else { return }
    leadership?.round += 1
    leadership?.verifying = state.verifyNext
    leadership?.verifyNext = []
    for (position, progress) in state.progress.enumerated() where progress.server.suffrage == .voter {
      sendHeartbeat(position, now: now, force: true)
    }
    concludeVerification(now: now)
  }

  mutating func concludeVerification(now: MonotonicInstant) {
    guard let leadership, !leadership.verifying.isEmpty else { return }
    var confirmed = isVoter ? 1 : 0
    for progress in leadership.progress where progress.server.suffrage == .voter {
      if progress.ackedRound >= leadership.round { confirmed += 1 }
    }
    guard confirmed >= membership.latest.quorum else { return }
    emit(.verified(ids: leadership.verifying))
    self.leadership?.verifying = []
    startVerificationRound(now: now)
  }

  // MARK: Handing over (the dissertation, section 3.10)

  mutating func beginTransfer(to target: ServerID?, now: MonotonicInstant) {
    guard let leadership else { return emit(.refused(.notLeader(leader: leader))) }
    if leadership.transfer != nil { return emit(.refused(.leadershipTransferInProgress)) }
    let voters = leadership.progress.filter { $0.server.suffrage == .voter }
    let chosen: ServerID
    if let target {
      guard voters.contains(where: { $0.server.id == target }) else {
        return emit(.refused(.invalidTransferTarget(target)))
      }
      chosen = target
    } else if let best = voters.max(by: { $0.nextIndex < $1.nextIndex }) {
      chosen = best.server.id
    } else {
      return emit(.refused(.noTransferTarget))
    }
    self.leadership?.transfer = Leadership.Transfer(target: chosen, deadline: now + timing.election)
    if let position = leadership.position(of: chosen) { replicate(position, allowEmpty: false, now: now) }
    advanceTransfer(now: now)
  }

  /// Once the target has everything, it is told to stand for election.
  mutating func advanceTransfer(now: MonotonicInstant) {
    guard let leadership, let transfer = leadership.transfer, !transfer.timeoutNowSent,
      let position = leadership.position(of: transfer.target)
    else { return }
    let progress = leadership.progress[position]
    guard progress.matchIndex == log.lastIndex else { return }
    self.leadership?.transfer?.timeoutNowSent = true
    emit(
      .send(OutgoingRequest(to: progress.server, term: term, body: .timeoutNow, context: .timeoutNow(term: term))))
  }

  // MARK: Membership (the dissertation, chapter 4)

  mutating func changeConfiguration(
    _ change: ConfigurationChange, expectedIndex: LogIndex?, appendedAt: WallTime, now: MonotonicInstant
  ) {
    if let obstacle = proposalObstacle { return emit(.refused(obstacle)) }
    if let expectedIndex, expectedIndex > 0, expectedIndex != membership.latestIndex {
      let stale = ConfigurationChangeError.changedSince(expected: expectedIndex, latest: membership.latestIndex)
      return emit(.refused(.configurationChange(stale)))
    }
    precondition(mayChangeConfiguration, "one change at a time: the caller waits for the one before")
    do {
      let next = try membership.latest.applying(change)
      membership.append(next, index: log.lastIndex + 1)
      emit(.membershipChanged)
      followMembership(now: now)
      let entry = LogEntry(index: 0, term: 0, kind: .configuration, data: next.encoded(), appendedAt: appendedAt)
      appendOwn([entry], now: now)
    } catch {
      emit(.refused(.configurationChange(error)))
    }
  }

  /// Starts and ends replication so that it fits the latest configuration.
  mutating func followMembership(now: MonotonicInstant) {
    guard var state = leadership else { return }
    var known: [ServerID: Progress] = [:]
    for progress in state.progress { known[progress.server.id] = progress }
    state.progress = membership.latest.servers.filter { $0.id != id }.map { server in
      var progress = known[server.id] ?? Progress(server: server, nextIndex: log.lastIndex + 1, now: now)
      progress.server = server
      return progress
    }
    let hasOtherVoters = state.progress.contains { $0.server.suffrage == .voter }
    state.leaseCheckAt = hasOtherVoters ? (state.leaseCheckAt ?? now + timing.lease) : nil
    leadership = state
  }
}
