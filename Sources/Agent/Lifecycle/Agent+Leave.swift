import AgentConfiguration
import Server

extension Agent {
  /// How long a server waits until the others have taken it out of consensus.
  private static let removalPatience = Duration.seconds(5)

  /// Tells the others that this agent goes, so that nobody waits for it to return. An agent that is alone has nobody to tell.
  func leaveCluster() async {
    // The leader takes this node out of the catalog: it is not to be put back while the others hear of the departure.
    local.pauseSync()
    logger.info("leaving", metadata: ["node": "\(configuration.nodeName)"])
    let isAlone = !members.members().contains { $0.status == .alive && $0.name != configuration.nodeName }
    let servers = server?.raft.configuration.servers.servers.count ?? 0
    if let server, servers > 1 { await handOverLeadership(server) }
    await pools.leave()
    guard let server, servers > 1 else { return }
    // The new leader takes this server out when it hears that it left.
    let clock = ContinuousClock()
    let end = clock.now + Self.removalPatience
    while clock.now < end, server.raft.configuration.servers.servers.contains(where: { $0.id == nodeID }) {
      try? await Task.sleep(for: .milliseconds(50))
    }
    // Requests that others still send here are answered meanwhile.
    if !isAlone {
      try? await Task.sleep(for: .nanoseconds(max(configuration.performance.leaveDrainTime.nanoseconds, 0)))
    }
  }

  /// Answers those who asked the agent to leave. Whoever has the answer finds nobody here any more.
  func answerLeavers() async {
    let leavers = state.withLock { state in
      defer { state.leavers = nil }
      return state.leavers ?? []
    }
    guard !leavers.isEmpty else { return }
    if let http = httpServer, let listening = state.withLock({ $0.http }) { await http.stopAccepting(listening) }
    for promise in leavers { promise.succeed() }
  }

  private func handOverLeadership(_ server: ServerNode) async {
    guard server.isLeader else { return }
    await withCheckedContinuation { continuation in
      server.transferLeadership(to: "") { [logger] result in
        if case .failure(let error) = result {
          logger.warning("leadership was not handed over", metadata: ["error": "\(error)"])
        }
        continuation.resume()
      }
    }
  }
}
