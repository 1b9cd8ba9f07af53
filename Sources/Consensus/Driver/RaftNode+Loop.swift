// The consensus thread: takes what arrived, lets the replica handle it, carries out what it wants done.

extension RaftNode {
  func runLoop(_ replica: Replica) {
    var loop = ConsensusLoop()
    // Carry out what recovery left to do, before waiting for anything.
    drain(replica, &loop)
    while true {
      // With something left to write there is no reason to wait.
      let mayWait = !replica.hasLogWork
      let deadline = mayWait ? replica.nextDeadline : MonotonicInstant(nanoseconds: 0)
      let received = inbox.wait(until: deadline) { inbox -> Inbox? in
        inbox.isWaiting = false
        if !inbox.isEmpty || inbox.isClosed {
          let taken = inbox
          inbox.proposals = []
          inbox.inputs = []
          return taken
        }
        if !mayWait { return Inbox() }
        inbox.isWaiting = true
        return nil
      }
      let now = SystemClock.now()
      if let received {
        for input in received.inputs { replica.handle(input, now: now) }
        if !received.proposals.isEmpty { replica.handle(proposals: received.proposals[...], now: now) }
        if received.isClosed { return end(replica, &loop) }
      }
      if let due = replica.nextDeadline, due <= now { replica.tick(now: now) }
      drain(replica, &loop)
    }
  }

  private struct ConsensusLoop {
    var hasWriter = false
    /// Writes that are still left to the writer thread because lately many clients waited at a time.
    var overlap = 0
    var hasReportedFailure = false
  }

  /// Once many clients overlap, expect that for so many writes.
  private static let overlapExpected = 64
  /// Entries that this thread writes and applies itself: they keep it from what arrives meanwhile for less time than two
  /// changes of thread take.
  private static let inPlaceEntriesMax = 4

  /// Carries out what the replica wants done. Messages go out before the own disk is written, and what is committed is
  /// applied while the disk writes what came next.
  private func drain(_ replica: Replica, _ loop: inout ConsensusLoop) {
    deliver(replica.takeOutputs(), replica)
    for job in replica.takeJobs() { RaftThread.detached(name: "raft-snapshot", job) }
    let isAlone = replica.core.membership.latest.servers.count <= 1
    if replica.hasLogWork, mayUseWriter(&loop, isAlone: isAlone) {
      while let batch = replica.takeLogBatch() { submit(batch, &loop) }
    }
    apply(replica, isAlone: isAlone)
    if let batch = replica.takeLogBatch() {
      writeInPlace(batch, replica, &loop)
      deliver(replica.takeOutputs(), replica)
      for job in replica.takeJobs() { RaftThread.detached(name: "raft-snapshot", job) }
      apply(replica, isAlone: isAlone)
    }
    publish(replica)
    if let failure = replica.failure, !loop.hasReportedFailure {
      loop.hasReportedFailure = true
      let observers = failureObservers.withLock { $0 }
      executor.submit([.call { for observer in observers { observer(failure) } }])
    }
  }

  private func apply(_ replica: Replica, isAlone: Bool) {
    let work = replica.takeApplyWork()
    guard !work.isEmpty else { return }
    publish(replica)
    var entryCount = 0
    var isLong = false
    for item in work {
      switch item {
      case .entries(let entries, _): entryCount += entries.count
      case .restore: isLong = true
      default: break
      }
    }
    let isBest =
      isAlone && !isLong && entryCount <= Self.inPlaceEntriesMax && !replica.hasLogWork && inbox.withLock { $0.isEmpty }
    if !(isBest && executor.runInPlace(work)) { executor.submit(work) }
  }

  // MARK: Writing the log

  /// Whether the writer thread is to write. It is worth two changes of thread if this thread has something to do
  /// meanwhile: talk to other servers, or take and answer what many clients propose. A few clients are served sooner without
  /// it.
  private func mayUseWriter(_ loop: inout ConsensusLoop, isAlone: Bool) -> Bool {
    if isAlone, loop.overlap == 0, writer.isIdle { return false }
    if !loop.hasWriter, let thread = RaftThread.start(name: "raft-log", { [writer] in writer.runLoop() }) {
      threads.withLock { $0.append(thread) }
      loop.hasWriter = true
    }
    return loop.hasWriter
  }

  private func submit(_ batch: LogBatch, _ loop: inout ConsensusLoop) {
    writer.submit(batch)
    loop.overlap = batch.entryCount > Self.inPlaceEntriesMax ? Self.overlapExpected : max(0, loop.overlap - 1)
  }

  private func writeInPlace(_ batch: LogBatch, _ replica: Replica, _ loop: inout ConsensusLoop) {
    let result = LogWriter.write(batch, to: storage.log)
    let arrived = inbox.withLock { $0.proposals.count }
    if max(batch.entryCount, arrived) > Self.inPlaceEntriesMax { loop.overlap = Self.overlapExpected }
    replica.handle(.logWritten(batch, result), now: SystemClock.now())
  }

  private func deliver(_ outputs: [ReplicaOutput], _ replica: Replica) {
    guard !outputs.isEmpty else { return }
    let header = RaftHeader(id: options.id, address: options.address)
    for output in outputs {
      switch output {
      case .reply(let token, let response):
        replies.withLock { $0.waiting.removeValue(forKey: token) }?(response)
      case .request(let request, let server, let context):
        let completion = completion(of: context, from: server.id)
        guard let transport else {
          completion(.failure(.unreachable("no transport")))
          continue
        }
        transport.send(request, from: header, to: server, lane: context.lane, completion: completion)
      case .snapshot(let request, let reader, let server, let context):
        let completion = completion(of: context, from: server.id)
        guard let transport else {
          completion(.failure(.unreachable("no transport")))
          continue
        }
        transport.sendSnapshot(request, content: reader, from: header, to: server, completion: completion)
      }
    }
  }

  private func completion(
    of context: RequestContext, from peer: ServerID
  ) -> @Sendable (Result<RaftResponse, PeerFailure>) -> Void {
    { [inbox] result in Self.post(.response(result, from: peer, context), to: inbox) }
  }

  private func publish(_ replica: Replica) {
    uncontestedFrom.store(replica.uncontestedFrom ?? .max, ordering: .releasing)
    let current = replica.status(isShutDown: false)
    let isLeaderNew = status.withLock { status in
      defer { status = current }
      return status.leader != current.leader
    }
    guard isLeaderNew else { return }
    let observers = leaderObservers.withLock { $0 }
    if !observers.isEmpty {
      executor.submit([.call { [leader = current.leader] in for observer in observers { observer(leader) } }])
    }
  }

  private func end(_ replica: Replica, _ loop: inout ConsensusLoop) {
    if loop.hasWriter { writer.stop() }
    replica.fail(.shutDown)
    executor.submit(replica.takeApplyWork())
    publish(replica)
    executor.stop()
  }
}
