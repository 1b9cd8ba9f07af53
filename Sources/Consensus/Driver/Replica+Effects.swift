// Carries out what the algorithm wants done.

extension Replica {
  func perform(_ effect: RaftEffect) {
    switch effect {
    case .persist(let state):
      do { try storage.term.store(state) } catch { fail(.storage(error)) }
    case .append(let entries):
      cache.append(entries, completions: completionsOfProposal)
      completionsOfProposal = []
      logQueue.append(.append(entries[...]))
    case .truncate(let index):
      cache.truncate(from: index)
      logQueue.append(.truncate(from: index, previousTerm: core.log.term(at: index - 1) ?? 0))
    case .reset(let next):
      cache.removeAll()
      handedIndex = next - 1
      logQueue.append(.reset(next: next, previousTerm: core.log.baseTerm))
    case .compact(let through): logQueue.append(.compact(through: through))
    case .send(let request): send(request)
    case .reply(let token, let response): emit(.reply(token: token, response))
    case .adoptSnapshot(let index, let term): adoptSnapshot(index: index, term: term)
    case .receiveSnapshot(let request, let token): receiveSnapshot(request, token: token)
    case .commit, .leaderChanged, .membershipChanged: break
    case .becameLeader(let term):
      options.logger.info("entering leader state", metadata: ["term": "\(term)"])
      leadershipNotice = (core.log.lastIndex, term)
    case .lostLeadership(let term): lostLeadership(term: term)
    case .verified(let ids):
      let index = max(core.commitIndex, core.leadership?.termStart ?? 0)
      for id in ids {
        if let completion = verifications.removeValue(forKey: id) { confirmed.append((index, completion)) }
      }
    case .verificationFailed(let ids):
      let error = RaftError.notLeader(leader: core.leader)
      let failed = ids.compactMap { verifications.removeValue(forKey: $0) }
      emit(.call { for completion in failed { completion(.failure(error)) } })
    case .transferFinished(let result):
      if let completion = transferCompletion { emit(.call { completion(result) }) }
      transferCompletion = nil
    case .snapshotNeeded: snapshotNeeded()
    case .restoreReserved: break
    case .refused(let error): refusal = error
    }
  }

  func lostLeadership(term: Term) {
    options.logger.info("entering follower state", metadata: ["term": "\(term)"])
    emit(.fail(cache.takeCompletions(after: core.commitIndex), .leadershipLost))
    let error = RaftError.leadershipLost
    let waiting = confirmed.map { $0.completion }
    confirmed = []
    if !waiting.isEmpty { emit(.call { for completion in waiting { completion(.failure(error)) } }) }
    leadershipNotice = nil
    if reportedLeader {
      reportedLeader = false
      emit(.leadership(.lost(term: term)))
    }
    leadershipLostDuringRestore()
  }

  func send(_ request: OutgoingRequest) {
    let message: RaftRequest
    switch request.body {
    case .heartbeat: message = .appendEntries(AppendEntriesRequest(term: request.term))
    case .append(let previousTerm, let first, let last, let commit):
      do throws(StorageError) {
        let entries = last < first ? [] : try load(first: first, last: last)
        message = .appendEntries(
          AppendEntriesRequest(
            term: request.term, previousIndex: first - 1, previousTerm: previousTerm, entries: entries,
            leaderCommitIndex: commit))
      } catch {
        return fail(.storage(error))
      }
    case .vote(let vote): message = .requestVote(vote)
    case .preVote(let vote): message = .requestPreVote(vote)
    case .timeoutNow: message = .timeoutNow
    case .snapshot: return sendSnapshot(request)
    }
    emit(.request(message, to: request.to, request.context))
  }

  /// Entries from memory as far as they are there, else from storage.
  func load(first: LogIndex, last: LogIndex) throws(StorageError) -> [LogEntry] {
    var entries: [LogEntry] = []
    entries.reserveCapacity(Int(last - first) + 1)
    var next = first
    while next <= last {
      let cached = cache.entries(first: next, last: last)
      if cached.isEmpty {
        let end = min(last, cache.firstIndex.map { $0 > next ? $0 - 1 : last } ?? last)
        entries += try storage.log.entries(first: next, last: end, bytesMax: .max)
      } else {
        entries += cached
      }
      guard let reached = entries.last?.index, reached >= next else { throw .missing(path: "log entry \(next)") }
      next = reached + 1
    }
    return entries
  }

  func logWritten(_ batch: LogBatch, _ result: Result<Void, StorageError>) {
    switch result {
    case .failure(let error): fail(.storage(error))
    case .success:
      if let last = batch.lastAppended { step(.logDurable(index: last.index, term: last.term)) }
      checkLogSize()
    }
  }
}
