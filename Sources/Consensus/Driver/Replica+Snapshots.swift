// Snapshots of the own state, from the leader, and from an operator.

/// An operator's restore, step by step. Proposals are refused meanwhile.
struct OperatorRestore: Sendable {
  enum Stage: Sendable {
    /// The content is being written to storage.
    case receiving
    /// Stored; entries that were under way are still being committed and applied.
    case draining(any SnapshotSink)
    /// The state machine is taking the content.
    case restoring(any SnapshotSink)
  }

  var stage = Stage.receiving
  var content: any SnapshotContent
  var size: Int64
  var prepared: (any PreparedState)?
  var completion: ProposalCompletion
}

extension Replica {
  // MARK: Policy

  func checkSnapshotPolicy() {
    guard failure == nil, snapshotCheckAt <= now else { return }
    snapshotCheckAt = now + snapshotRandom.timeout(options.snapshots.interval.clampedNanoseconds)
    let since = options.snapshots.storesSnapshots ? core.log.snapshotIndex : core.log.baseIndex
    if handedIndex > since, handedIndex - since >= options.snapshots.threshold { shortenLog() }
  }

  /// Does not wait for the timer when the log has become too large.
  func checkLogSize() {
    let since = options.snapshots.storesSnapshots ? core.log.snapshotIndex : core.log.baseIndex
    // At least some progress, so that one huge entry does not cause a snapshot per write.
    guard failure == nil, !isSnapshotting, handedIndex > since + 64,
      storage.log.retainedBytes > options.snapshots.logBytesMax
    else { return }
    shortenLog()
  }

  private func shortenLog() {
    if options.snapshots.storesSnapshots {
      if !isSnapshotting { startSnapshot() }
    } else {
      step(.compactLog(through: min(handedIndex, compactionIndex)))
    }
  }

  /// Last entry that need not be kept for followers.
  private var compactionIndex: LogIndex {
    let log = core.log
    let count = log.lastIndex - log.baseIndex
    let average = max(1, UInt64(storage.log.retainedBytes) / max(count, 1))
    let trailing = min(options.snapshots.trailingEntries, UInt64(options.snapshots.logBytesMax / 2) / average)
    return log.lastIndex > trailing ? log.lastIndex - trailing : 0
  }

  // MARK: Own snapshots

  func requestSnapshot(_ completion: @escaping @Sendable (Result<any SnapshotReader, RaftError>) -> Void) {
    if isSnapshotting {
      // The one under way may stand for an earlier index than the caller has seen.
      snapshotQueue.append(completion)
    } else {
      snapshotWaiters.append(completion)
      startSnapshot()
    }
  }

  func snapshotNeeded() {
    if !isSnapshotting { startSnapshot() }
  }

  private func startSnapshot() {
    isSnapshotting = true
    emit(.snapshot { [post] writer, index, term in post(.snapshotCaptured(writer, index, term)) })
  }

  func snapshotCaptured(_ writer: Result<any StateSnapshotWriter, RaftError>, index: LogIndex, term: Term) {
    let membership = core.membership
    switch writer {
    case .failure(let error): finishSnapshot(.failure(error))
    case .success where index == 0: finishSnapshot(.failure(.nothingToSnapshot))
    case .success where index < membership.committedIndex:
      finishSnapshot(
        .failure(.snapshotBelowConfiguration(applied: index, configuration: membership.committedIndex)))
    case .success where index == latestSnapshot?.index && term == latestSnapshot?.term:
      if let latest = latestSnapshot { finishSnapshot(.success(latest)) }
    case .success(let writer):
      let position = SnapshotPosition(
        index: index, term: term, configuration: membership.committed,
        configurationIndex: membership.committedIndex)
      emit(job: { [storage, post] in
        post(.snapshotWritten(Self.write(writer, position: position, to: storage.snapshots)))
      })
    }
  }

  private static func write(
    _ writer: any StateSnapshotWriter, position: SnapshotPosition, to storage: any SnapshotStorage
  ) -> Result<SnapshotMetadata, RaftError> {
    do {
      let sink = try storage.create(position)
      do {
        try writer.write(to: sink)
        let metadata = try sink.seal()
        try sink.publish()
        return .success(metadata)
      } catch {
        sink.abort()
        throw error
      }
    } catch {
      return .failure(.snapshotFailed("\(error)"))
    }
  }

  func snapshotWritten(_ result: Result<SnapshotMetadata, RaftError>) {
    if case .success(let metadata) = result {
      options.logger.info("snapshot complete", metadata: ["index": "\(metadata.index)", "bytes": "\(metadata.size)"])
      if metadata.index > latestSnapshot?.index ?? 0 { latestSnapshot = metadata }
      if metadata.index > core.log.snapshotIndex {
        step(.snapshotTaken(index: metadata.index, term: metadata.term, compactThrough: compactionIndex))
      }
    }
    finishSnapshot(result)
  }

  private func finishSnapshot(_ result: Result<SnapshotMetadata, RaftError>) {
    isSnapshotting = false
    if case .failure(let error) = result {
      options.logger.warning("no snapshot taken", metadata: ["reason": "\(error)"])
    }
    let waiters = snapshotWaiters
    snapshotWaiters = []
    if !waiters.isEmpty {
      // Opened here, before a later snapshot could replace it.
      let readers = waiters.map { _ in
        result.flatMap { metadata -> Result<any SnapshotReader, RaftError> in
          do throws(StorageError) { return .success(try storage.snapshots.open(metadata)) } catch {
            return .failure(.storage(error))
          }
        }
      }
      emit(.call { for (completion, reader) in zip(waiters, readers) { completion(reader) } })
    }
    if !snapshotQueue.isEmpty {
      snapshotWaiters = snapshotQueue
      snapshotQueue = []
      startSnapshot()
    }
  }

  // MARK: Snapshots between servers

  func sendSnapshot(_ request: OutgoingRequest) {
    guard let latest = latestSnapshot, latest.index == core.log.snapshotIndex else {
      return post(.response(.failure(.unreachable("no snapshot")), from: request.to.id, request.context))
    }
    do throws(StorageError) {
      let reader = try storage.snapshots.open(latest)
      let message = InstallSnapshotRequest(
        term: request.term, lastLogIndex: latest.index, lastLogTerm: latest.term,
        configuration: latest.position.configuration, configurationIndex: latest.position.configurationIndex,
        size: Int64(clamping: latest.size))
      emit(.snapshot(message, reader, to: request.to, request.context))
    } catch {
      options.logger.error("cannot read snapshot", metadata: ["error": "\(error)"])
      post(.response(.failure(.unreachable(error.description)), from: request.to.id, request.context))
    }
  }

  /// The follower's side: first to storage, then, if it is still of use, into the state machine.
  func receiveSnapshot(_ request: InstallSnapshotRequest, token: UInt64) {
    guard let content = incomingContent[token] else {
      return emit(.reply(token: token, .installSnapshot(InstallSnapshotResponse(term: core.term, success: false))))
    }
    let position = SnapshotPosition(
      index: request.lastLogIndex, term: request.lastLogTerm, configuration: request.configuration,
      configurationIndex: request.configurationIndex)
    options.logger.info("receiving snapshot", metadata: ["index": "\(position.index)", "bytes": "\(request.size)"])
    emit(job: { [storage, post] in
      let sink = Self.store(content, size: request.size, position: position, in: storage.snapshots)
      post(.snapshotReceived(token: token, request, sink))
    })
  }

  private static func store(
    _ content: any SnapshotContent, size: Int64, position: SnapshotPosition, in storage: any SnapshotStorage
  ) -> Result<any SnapshotSink, RaftError> {
    do {
      let sink = try storage.create(position)
      do {
        try content.copy(to: sink, size: size)
        _ = try sink.seal()
        return .success(sink)
      } catch {
        sink.abort()
        throw error
      }
    } catch {
      return .failure(.restoreFailed("\(error)"))
    }
  }

  func snapshotReceived(
    token: UInt64, _ request: InstallSnapshotRequest, _ result: Result<any SnapshotSink, RaftError>
  ) {
    switch result {
    case .failure(let error):
      options.logger.error("cannot store the leader's snapshot", metadata: ["error": "\(error)"])
      replyToInstall(token, success: false)
    case .success(let sink):
      adoptedSink = sink
      adopted = nil
      step(.snapshotInstalled(request))
      adoptedSink = nil
      guard failure == nil else { return }
      guard adopted != nil, let latest = latestSnapshot else {
        sink.abort()
        return replyToInstall(token, success: true)
      }
      do throws(StorageError) {
        let reader = try storage.snapshots.open(latest)
        emit(.restore(reader, prepared: nil) { [post] result in post(.snapshotInstalled(token: token, result)) })
      } catch {
        fail(.storage(error))
      }
    }
  }

  func snapshotInstalled(token: UInt64, _ result: Result<Void, RaftError>) {
    switch result {
    case .success: replyToInstall(token, success: true)
    // The log is gone already; only a restart brings state and log together again.
    case .failure(let error): fail(error)
    }
  }

  private func replyToInstall(_ token: UInt64, success: Bool) {
    emit(.reply(token: token, .installSnapshot(InstallSnapshotResponse(term: core.term, success: success))))
  }

  /// Makes the stored content the newest snapshot, before the log is replaced by it.
  func adoptSnapshot(index: LogIndex, term: Term) {
    guard let sink = adoptedSink else { return }
    do throws(StorageError) {
      let metadata = try sink.reader().metadata
      try sink.publish()
      latestSnapshot = metadata
      adopted = metadata.position
    } catch {
      fail(.storage(error))
    }
  }

  // MARK: An operator's restore

  func beginRestore(_ wanted: OperatorRestore) {
    if let error = step(.beginRestore) { return emit(.fail([wanted.completion], error)) }
    restore = wanted
    guard let reserved = core.leadership?.restore else { return }
    let position = SnapshotPosition(
      index: reserved.index, term: reserved.term, configuration: core.membership.latest,
      configurationIndex: core.membership.latestIndex)
    emit(job: { [storage, post] in
      post(.restoreReceived(Self.store(wanted.content, size: wanted.size, position: position, in: storage.snapshots)))
    })
  }

  func restoreReceived(_ result: Result<any SnapshotSink, RaftError>) {
    switch result {
    case .failure(let error):
      guard let restore else { return }
      self.restore = nil
      step(.finishRestore(success: false))
      emit(.fail([restore.completion], error))
    case .success(let sink):
      if restore == nil { sink.abort() } else { restore?.stage = .draining(sink) }
    }
  }

  /// Once nothing is under way any more, the state machine takes the content.
  func advanceRestore() {
    guard let wanted = restore, case .draining(let sink) = wanted.stage,
      core.commitIndex == core.log.lastIndex, handedIndex == core.commitIndex
    else { return }
    do throws(StorageError) {
      let reader = try sink.reader()
      restore?.stage = .restoring(sink)
      emit(.restore(reader, prepared: wanted.prepared) { [post] result in post(.restoreApplied(result)) })
    } catch {
      restoreApplied(.failure(.storage(error)))
    }
  }

  func restoreApplied(_ result: Result<Void, RaftError>) {
    guard let restore else { return }
    let sink: any SnapshotSink
    switch restore.stage {
    case .receiving: return
    case .draining(let stored), .restoring(let stored): sink = stored
    }
    self.restore = nil
    switch result {
    case .failure(let error):
      sink.abort()
      step(.finishRestore(success: false))
      emit(.fail([restore.completion], .restoreFailed(error.description)))
    case .success:
      adoptedSink = sink
      let refused = step(.finishRestore(success: true))
      adoptedSink = nil
      if let refused {
        // The state machine has the new content, the cluster does not. A restart brings the cluster's back.
        sink.abort()
        emit(.fail([restore.completion], refused))
        fail(refused)
      } else {
        cache.setCompletion(restore.completion, at: core.log.lastIndex)
      }
    }
  }

  func leadershipLostDuringRestore() {
    guard let restore else { return }
    switch restore.stage {
    case .receiving:
      self.restore = nil
      emit(.fail([restore.completion], .leadershipLost))
    case .draining(let sink):
      self.restore = nil
      sink.abort()
      emit(.fail([restore.completion], .leadershipLost))
    case .restoring: break
    }
  }
}
