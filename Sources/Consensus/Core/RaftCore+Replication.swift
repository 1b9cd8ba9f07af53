// The leader's side of bringing followers up to date (the paper, section 5.3).

extension RaftCore {
  /// Heartbeats that may wait for an answer; more would only queue up behind a slow connection.
  private static let heartbeatsInFlightMax = 4

  mutating func replicateToAll(now: MonotonicInstant) {
    for position in 0..<(leadership?.progress.count ?? 0) { replicate(position, allowEmpty: false, now: now) }
  }

  /// Sends what the follower is missing, as far as flow control allows.
  mutating func replicate(_ position: Int, allowEmpty: Bool, now: MonotonicInstant) {
    var allowEmpty = allowEmpty
    while let progress = leadership?.progress[position] {
      let depth = progress.mode == .pipeline ? settings.pipelineDepthMax : 1
      guard progress.mode != .snapshot, progress.retryAt == nil, progress.inFlight < depth else { return }
      let hasEntries = progress.nextIndex <= log.lastIndex
      guard hasEntries || allowEmpty else { return }
      let previous = progress.nextIndex - 1
      guard previous >= log.baseIndex, let previousTerm = log.term(at: previous) else {
        return sendSnapshot(position, now: now)
      }
      let last = min(log.lastIndex, previous + UInt64(settings.appendEntriesMax))
      sendAppend(position, previous: previous, previousTerm: previousTerm, last: last, now: now)
      allowEmpty = false
    }
  }

  private mutating func sendAppend(
    _ position: Int, previous: LogIndex, previousTerm: Term, last: LogIndex, now: MonotonicInstant
  ) {
    guard var progress = leadership?.progress[position] else { return }
    let context = RequestContext.append(
      term: term, previous: previous, last: last, sequence: progress.sequence, sentAt: now)
    progress.inFlight += 1
    progress.idleAppendAt = now + random.timeout(timing.commit)
    if progress.mode == .pipeline { progress.nextIndex = last + 1 }
    leadership?.progress[position] = progress
    let body = OutgoingRequest.Body.append(
      previousTerm: previousTerm, first: previous + 1, last: last, commit: commitIndex)
    emit(.send(OutgoingRequest(to: progress.server, term: term, body: body, context: context)))
  }

  mutating func receiveAppendResponse(
    _ result: Result<RaftResponse, PeerFailure>, from peer: ServerID,
    sent: (term: Term, previous: LogIndex, last: LogIndex, sequence: UInt64), sentAt: MonotonicInstant,
    now: MonotonicInstant
  ) {
    if case .success(.appendEntries(let response)) = result, isNewer(response.term) {
      return becomeFollower(term: response.term, now: now)
    }
    guard isLeader, sent.term == term, let position = leadership?.position(of: peer),
      var progress = leadership?.progress[position]
    else { return }
    let isCurrent = sent.sequence == progress.sequence
    if isCurrent { progress.inFlight = max(0, progress.inFlight - 1) }
    switch result {
    case .success(.appendEntries(let response)) where response.success:
      progress.noteContact(sentAt: sentAt)
      progress.matchIndex = max(progress.matchIndex, sent.last)
      progress.failures = 0
      if isCurrent {
        progress.nextIndex = max(progress.nextIndex, sent.last + 1)
        if progress.mode == .probe { progress.mode = .pipeline }
      }
    case .success(.appendEntries(let response)):
      progress.noteContact(sentAt: sentAt)
      guard isCurrent else { break }
      progress.restart(at: min(sent.previous, response.lastLog &+ 1))
      if response.noRetryBackoff {
        progress.failures = 0
      } else {
        progress.failures += 1
        progress.retryAt = now + Progress.backoff(failures: progress.failures)
      }
    default:
      guard isCurrent else { break }
      progress.restart(at: sent.previous + 1)
      progress.failures += 1
      progress.retryAt = now + Progress.backoff(failures: progress.failures)
    }
    leadership?.progress[position] = progress
    advanceCommit(now: now)
    guard isLeader, let position = leadership?.position(of: peer) else { return }
    replicate(position, allowEmpty: false, now: now)
    advanceTransfer(now: now)
  }

  // MARK: Heartbeats

  mutating func sendHeartbeat(_ position: Int, now: MonotonicInstant, force: Bool) {
    guard var progress = leadership?.progress[position] else { return }
    // A peer that does not answer is asked less often, but at least every half heartbeat timeout.
    let period = random.timeout(timing.heartbeat / 10)
    let pause = progress.heartbeatFailures == 0 ? 0 : Progress.backoff(failures: progress.heartbeatFailures)
    progress.heartbeatAt = now + max(period, min(pause, timing.heartbeat / 2))
    if force || progress.heartbeatsInFlight < Self.heartbeatsInFlightMax {
      progress.heartbeatsInFlight += 1
      let round = leadership?.round ?? 0
      let context = RequestContext.heartbeat(term: term, round: round, sentAt: now)
      emit(.send(OutgoingRequest(to: progress.server, term: term, body: .heartbeat, context: context)))
    }
    leadership?.progress[position] = progress
  }

  mutating func receiveHeartbeatResponse(
    _ result: Result<RaftResponse, PeerFailure>, from peer: ServerID, term sentTerm: Term, round: UInt64,
    sentAt: MonotonicInstant, now: MonotonicInstant
  ) {
    if case .success(.appendEntries(let response)) = result, isNewer(response.term) {
      return becomeFollower(term: response.term, now: now)
    }
    guard isLeader, sentTerm == term, let position = leadership?.position(of: peer),
      var progress = leadership?.progress[position]
    else { return }
    progress.heartbeatsInFlight = max(0, progress.heartbeatsInFlight - 1)
    if case .success(.appendEntries(let response)) = result, response.success {
      progress.noteContact(sentAt: sentAt)
      progress.ackedRound = max(progress.ackedRound, round)
      progress.heartbeatFailures = 0
    } else {
      progress.heartbeatFailures += 1
    }
    leadership?.progress[position] = progress
    concludeVerification(now: now)
  }

  // MARK: Snapshots for followers that are too far behind (the paper, section 7)

  private mutating func sendSnapshot(_ position: Int, now: MonotonicInstant) {
    guard var progress = leadership?.progress[position] else { return }
    guard log.snapshotIndex > 0, log.snapshotIndex >= log.baseIndex else {
      progress.retryAt = now + timing.commit
      leadership?.progress[position] = progress
      emit(.snapshotNeeded)
      return
    }
    progress.restart(at: progress.nextIndex)
    progress.mode = .snapshot
    leadership?.progress[position] = progress
    let context = RequestContext.snapshot(term: term, index: log.snapshotIndex, sentAt: now)
    emit(.send(OutgoingRequest(to: progress.server, term: term, body: .snapshot, context: context)))
  }

  mutating func receiveSnapshotResponse(
    _ result: Result<RaftResponse, PeerFailure>, from peer: ServerID, term sentTerm: Term, index: LogIndex,
    sentAt: MonotonicInstant, now: MonotonicInstant
  ) {
    if case .success(.installSnapshot(let response)) = result, isNewer(response.term) {
      return becomeFollower(term: response.term, now: now)
    }
    guard isLeader, sentTerm == term, let position = leadership?.position(of: peer),
      var progress = leadership?.progress[position], progress.mode == .snapshot
    else { return }
    if case .success(.installSnapshot(let response)) = result, response.success {
      progress.matchIndex = max(progress.matchIndex, index)
      progress.failures = 0
      progress.restart(at: index + 1)
      progress.noteContact(sentAt: sentAt)
    } else {
      progress.failures += 1
      progress.restart(at: progress.nextIndex)
      progress.retryAt = now + Progress.backoff(failures: progress.failures)
    }
    leadership?.progress[position] = progress
    advanceCommit(now: now)
    guard isLeader, let position = leadership?.position(of: peer) else { return }
    replicate(position, allowEmpty: false, now: now)
    advanceTransfer(now: now)
  }
}
