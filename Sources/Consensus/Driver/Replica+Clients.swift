// What clients ask for.

extension Replica {
  func seed(_ configuration: RaftConfiguration, _ completion: @escaping @Sendable (Result<Void, RaftError>) -> Void) {
    let error = step(.seed(configuration))
    emit(.call { completion(error.map { .failure($0) } ?? .success(())) })
  }

  func propose(_ proposals: ArraySlice<Proposal>) {
    let appendedAt = options.wallClock()
    var entries: [LogEntry] = []
    entries.reserveCapacity(proposals.count)
    completionsOfProposal.reserveCapacity(proposals.count)
    for proposal in proposals {
      let bytes = proposal.data.count + proposal.extensions.count
      guard bytes <= options.limits.entryBytesMax else {
        emit(.fail([proposal.completion], .entryTooLarge(bytes: bytes, limit: options.limits.entryBytesMax)))
        continue
      }
      entries.append(
        LogEntry(
          index: 0, term: 0, kind: proposal.kind, data: proposal.data, extensions: proposal.extensions,
          appendedAt: appendedAt))
      completionsOfProposal.append(proposal.completion)
    }
    guard !entries.isEmpty else { return }
    if let error = step(.propose(entries)) {
      emit(.fail(completionsOfProposal.compactMap { $0 }, error))
      completionsOfProposal = []
    }
  }

  func verifyLeader(_ completion: @escaping @Sendable (Result<Void, RaftError>) -> Void) {
    nextVerification += 1
    verifications[nextVerification] = completion
    step(.verifyLeader(id: nextVerification))
  }

  func transferLeadership(
    to target: ServerID?, _ completion: @escaping @Sendable (Result<Void, RaftError>) -> Void
  ) {
    let before = transferCompletion
    transferCompletion = completion
    if let error = step(.transferLeadership(to: target)) {
      transferCompletion = before
      emit(.call { completion(.failure(error)) })
    }
  }

  /// Answers what arrives after the end.
  func refuse(_ input: ReplicaInput) {
    let error = failure ?? .shutDown
    switch input {
    case .propose(let proposal): emit(.fail([proposal.completion], error))
    case .change(_, _, let completion), .restore(_, _, _, let completion): emit(.fail([completion], error))
    case .verifyLeader(let completion), .transferLeadership(_, let completion), .seed(_, let completion):
      emit(.call { completion(.failure(error)) })
    case .snapshot(let completion): emit(.call { completion(.failure(error)) })
    default: break
    }
  }
}
