// The consensus thread: takes what arrived, lets the replica handle it, carries out what it wants done.

extension RaftNode {
  func runLoop(_ replica: Replica) {
    var loop = ConsensusLoop()
    // Carry out what recovery left to do, before waiting for anything.
    drain(replica, &loop)
    while true {
      // With something left to write there is no reason to wait.
      let mayWait = !(replica.hasLogWork && loop.mayWrite)
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
        for input in received.inputs {
          if case .logWritten = input { loop.isWriterBusy = false }
          replica.handle(input, now: now)
        }
        if !received.proposals.isEmpty { replica.handle(proposals: received.proposals[...], now: now) }
        if received.isClosed { return end(replica, &loop) }
      }
      if let due = replica.nextDeadline, due <= now { replica.tick(now: now) }
      drain(replica, &loop)
    }
  }

  private struct ConsensusLoop {
    /// The writer thread runs only once there are peers.
    var hasWriter = false
    var isWriterBusy = false
    var mayWrite: Bool { !isWriterBusy }
    var hasReportedFailure = false
  }

  /// Carries out what the replica wants done. Messages go out before the own disk is written.
  private func drain(_ replica: Replica, _ loop: inout ConsensusLoop) {
    deliver(replica.takeOutputs(), replica)
    for job in replica.takeJobs() { RaftThread.detached(name: "raft-snapshot", job) }
    let work = replica.takeApplyWork()
    let isAlone = replica.core.membership.latest.servers.count <= 1
    if !work.isEmpty {
      let nothingElse = isAlone && !replica.hasLogWork && inbox.withLock { $0.isEmpty }
      publish(replica)
      if !(nothingElse && executor.runInPlace(work)) { executor.submit(work) }
    }
    if replica.hasLogWork, loop.mayWrite, let batch = replica.takeLogBatch() {
      write(batch, replica, &loop, isAlone: isAlone)
    }
    publish(replica)
    if let failure = replica.failure, !loop.hasReportedFailure {
      loop.hasReportedFailure = true
      let observers = failureObservers.withLock { $0 }
      executor.submit([.call { for observer in observers { observer(failure) } }])
    }
  }

  private func write(_ batch: LogBatch, _ replica: Replica, _ loop: inout ConsensusLoop, isAlone: Bool) {
    if isAlone || (!loop.hasWriter && !startWriter(&loop)) {
      let result = LogWriter.write(batch, to: storage.log)
      replica.handle(.logWritten(batch, result), now: SystemClock.now())
      drain(replica, &loop, afterWrite: ())
      return
    }
    loop.isWriterBusy = true
    writer.submit(batch)
  }

  private func startWriter(_ loop: inout ConsensusLoop) -> Bool {
    guard let thread = RaftThread.start(name: "raft-log", { [writer] in writer.runLoop() }) else { return false }
    threads.withLock { $0.append(thread) }
    loop.hasWriter = true
    return true
  }

  /// As `drain`, without starting another write: the inbox is looked at in between.
  private func drain(_ replica: Replica, _ loop: inout ConsensusLoop, afterWrite: Void) {
    deliver(replica.takeOutputs(), replica)
    for job in replica.takeJobs() { RaftThread.detached(name: "raft-snapshot", job) }
    let work = replica.takeApplyWork()
    guard !work.isEmpty else { return }
    publish(replica)
    let nothingElse = !replica.hasLogWork && inbox.withLock { $0.isEmpty }
    if !(nothingElse && executor.runInPlace(work)) { executor.submit(work) }
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
    isUncontestedLeader.store(replica.isUncontestedLeader, ordering: .releasing)
    let current = replica.status(isShutDown: false)
    status.withLock { $0 = current }
  }

  private func end(_ replica: Replica, _ loop: inout ConsensusLoop) {
    if loop.hasWriter { writer.stop() }
    replica.fail(.shutDown)
    executor.submit(replica.takeApplyWork())
    publish(replica)
    executor.stop()
  }
}
