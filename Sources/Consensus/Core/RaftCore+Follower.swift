// The follower's side of replication (the paper, figure 2: AppendEntries and figure 13: InstallSnapshot).

extension RaftCore {
  mutating func receiveAppend(
    _ request: AppendEntriesRequest, from: RaftHeader, token: UInt64, now: MonotonicInstant
  ) {
    var response = AppendEntriesResponse(term: term, lastLog: log.lastIndex, success: false)
    guard isCurrent(request.term) else { return emit(.reply(token: token, .appendEntries(response))) }
    follow(from, term: request.term, now: now)
    response.term = term
    guard isWellFormed(request) else { return emit(.reply(token: token, .appendEntries(response))) }

    // What is committed is equal everywhere, so a previous entry at or below the commit index matches by definition.
    guard request.previousIndex <= commitIndex || log.term(at: request.previousIndex) == request.previousTerm else {
      response.noRetryBackoff = true
      return emit(.reply(token: token, .appendEntries(response)))
    }
    guard adopt(request.entries) else { return emit(.reply(token: token, .appendEntries(response))) }

    let matched = request.previousIndex + UInt64(request.entries.count)
    let newCommit = min(request.leaderCommitIndex, matched)
    if newCommit > commitIndex { commit(through: newCommit, now: now) }
    lastContact = now
    response.success = true
    if matched <= log.durableIndex || request.isHeartbeat {
      emit(.reply(token: token, .appendEntries(response)))
    } else {
      pendingReplies.append((matched, token, response))
    }
  }

  private mutating func follow(_ from: RaftHeader, term newTerm: Term, now: MonotonicInstant) {
    if newTerm > term || role != .follower { becomeFollower(term: newTerm, now: now) }
    let suffrage = membership.latest.server(from.id)?.suffrage ?? .voter
    setLeader(RaftServer(id: from.id, address: from.address, suffrage: suffrage))
  }

  /// Entries follow each other without gaps and their terms make sense.
  private func isWellFormed(_ request: AppendEntriesRequest) -> Bool {
    guard request.previousIndex < LogIndex.max / 2 else { return false }
    var index = request.previousIndex
    var entryTerm = request.previousTerm
    for entry in request.entries {
      index += 1
      guard entry.index == index, entry.term >= entryTerm, entry.term <= request.term else { return false }
      entryTerm = entry.term
    }
    return true
  }

  /// Appends what is new, deleting what is in conflict with it.
  /// - Returns: false if an entry cannot be understood; then nothing has changed.
  private mutating func adopt(_ entries: [LogEntry]) -> Bool {
    let isKnown = { [log, commitIndex] (entry: LogEntry) in
      entry.index <= commitIndex || log.term(at: entry.index) == entry.term
    }
    guard let position = entries.firstIndex(where: { !isKnown($0) }) else { return true }
    let new = entries[position...]
    var configurations: [(LogIndex, RaftConfiguration)] = []
    for entry in new where entry.kind == .configuration {
      guard let configuration = try? RaftConfiguration(decoding: entry.data) else { return false }
      configurations.append((entry.index, configuration))
    }
    let first = entries[position].index
    if first <= log.lastIndex {
      log.truncate(from: first)
      membership.truncate(from: first)
      emit(.truncate(from: first))
      refuseAppends(from: first)
    }
    guard first == log.lastIndex + 1, entries[position].term >= log.lastTerm else { return false }
    for entry in new { log.append(term: entry.term) }
    for (index, configuration) in configurations { membership.append(configuration, index: index) }
    emit(.append(Array(new)))
    if !configurations.isEmpty { emit(.membershipChanged) }
    return true
  }

  /// Entries that were to be acknowledged have been deleted.
  private mutating func refuseAppends(from index: LogIndex) {
    for pending in pendingReplies where pending.index >= index {
      let refusal = AppendEntriesResponse(
        term: term, lastLog: log.lastIndex, success: false, noRetryBackoff: true)
      emit(.reply(token: pending.token, .appendEntries(refusal)))
    }
    pendingReplies.removeAll { $0.index >= index }
  }

  mutating func answerDurableAppends() {
    guard !pendingReplies.isEmpty else { return }
    for pending in pendingReplies where pending.index <= log.durableIndex {
      emit(.reply(token: pending.token, .appendEntries(pending.response)))
    }
    pendingReplies.removeAll { $0.index <= log.durableIndex }
  }

  // MARK: Snapshots

  mutating func receiveInstallSnapshot(
    _ request: InstallSnapshotRequest, from: RaftHeader, token: UInt64, now: MonotonicInstant
  ) {
    func answer(_ success: Bool) {
      emit(.reply(token: token, .installSnapshot(InstallSnapshotResponse(term: term, success: success))))
    }
    guard isCurrent(request.term), request.snapshotVersion == 1, request.size >= 0 else { return answer(false) }
    follow(from, term: request.term, now: now)
    guard request.lastLogIndex > 0, request.lastLogIndex < LogIndex.max / 2, request.lastLogTerm <= request.term,
      request.configurationIndex <= request.lastLogIndex
    else { return answer(false) }
    lastContact = now
    // Everything in it is already here.
    if request.lastLogIndex <= min(commitIndex, log.durableIndex) { return answer(true) }
    emit(.receiveSnapshot(request, token: token))
  }

  mutating func snapshotInstalled(_ request: InstallSnapshotRequest, now: MonotonicInstant) {
    // Appends that arrived meanwhile may have made it superfluous.
    guard request.lastLogIndex > commitIndex else { return }
    if role == .follower { lastContact = now }
    refuseAppends(from: 0)
    log.reset(snapshotIndex: request.lastLogIndex, term: request.lastLogTerm)
    membership.reset(request.configuration, index: request.configurationIndex)
    commitIndex = request.lastLogIndex
    emit(.adoptSnapshot(index: request.lastLogIndex, term: request.lastLogTerm))
    emit(.reset(next: request.lastLogIndex + 1))
    emit(.membershipChanged)
  }

  mutating func snapshotTaken(index: LogIndex, term snapshotTerm: Term, compactThrough: LogIndex) {
    precondition(index <= commitIndex, "snapshots contain committed entries only")
    log.markSnapshot(index: index, term: snapshotTerm)
    compactLog(through: min(compactThrough, index))
  }

  mutating func compactLog(through index: LogIndex) {
    let through = min(index, commitIndex, log.durableIndex)
    guard through > log.baseIndex else { return }
    log.compact(through: through)
    emit(.compact(through: through))
  }

  // MARK: An operator's restore

  mutating func beginRestore() {
    if let obstacle = proposalObstacle { return emit(.refused(obstacle)) }
    guard mayChangeConfiguration else {
      return emit(.refused(.restoreFailed("a configuration change is in progress")))
    }
    let index = max(log.snapshotIndex, log.lastIndex) + 1
    let reservedTerm = term
    leadership?.restore = (index, reservedTerm)
    emit(.restoreReserved(index: index, term: reservedTerm))
  }

  /// The gap that the new index leaves makes every follower ask for the snapshot.
  mutating func finishRestore(success: Bool, now: MonotonicInstant) {
    guard let restore = leadership?.restore, restore.term == term else {
      return emit(.refused(.leadershipLost))
    }
    leadership?.restore = nil
    guard success else { return }
    log.reset(snapshotIndex: restore.index, term: restore.term)
    membership.reset(membership.latest, index: membership.latestIndex)
    commitIndex = restore.index
    leadership?.termStart = restore.index + 1
    emit(.adoptSnapshot(index: restore.index, term: restore.term))
    emit(.reset(next: restore.index + 1))
    var progress = leadership?.progress ?? []
    for position in progress.indices {
      progress[position].restart(at: 1)
      progress[position].matchIndex = 0
    }
    leadership?.progress = progress
    appendOwn([LogEntry(index: 0, term: 0, kind: .noop)], now: now)
  }
}
