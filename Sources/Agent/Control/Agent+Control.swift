import AgentConfiguration
import HTTPAPI
import Model
import NIOCore
import Server
import Synchronization
import Telemetry

extension Agent: AgentControl {
  public var nodeName: String { configuration.nodeName }
  public var isServer: Bool { server != nil }

  public var version: AgentVersion {
    var version = AgentVersion()
    version.sha = Release.revision
    version.buildDate = Release.buildDate
    version.human = Release.version
    return version
  }

  /// This agent as a member of the LAN pool.
  var ownMember: ClusterMember {
    ClusterMember(configuration, nodeID: nodeID, usesTLS: security.usesTLSForRPC)
  }

  public func members(wan: Bool) -> [AgentMember]? {
    if wan, !isServer { return nil }
    let all = members.members(of: wan ? .wan : .lan)
    // The agent itself comes first.
    let own = wan ? "\(nodeName).\(configuration.datacenter)" : nodeName
    return (all.filter { $0.name == own } + all.filter { $0.name != own }).map { AgentMember($0) }
  }

  public func join(_ address: String, wan: Bool, on loop: any EventLoop) -> EventLoopFuture<Void> {
    loop.makeFutureWithTask { [pools] in try await pools.join(address, wan: wan) }
  }

  public func forceLeave(_ node: String, wan: Bool, prune: Bool, on loop: any EventLoop) -> EventLoopFuture<Void> {
    do throws(AgentError) {
      try pools.forceLeave(node, wan: wan, prune: prune)
      return loop.makeSucceededVoidFuture()
    } catch {
      return loop.makeFailedFuture(error)
    }
  }

  public func leave(on loop: any EventLoop) -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    let isWaiting = state.withLock { state in
      state.leavers?.append(promise)
      return state.leavers != nil
    }
    if isWaiting { end.yield(.leave) } else { promise.succeed() }
    return promise.futureResult
  }

  public func reload(on loop: any EventLoop) -> EventLoopFuture<Void> {
    loop.makeFutureWithTask { try await self.reloadConfiguration() }
  }

  public func setToken(_ kind: AgentTokenKind, _ token: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
    let tokens = state.withLock { state in
      state.configuration.acl.tokens[kind] = token
      return state.configuration.acl.tokens
    }
    useTokens(tokens)
    do throws(AgentError) {
      try tokenStore.keep(kind, token)
      return loop.makeSucceededVoidFuture()
    } catch {
      return loop.makeFailedFuture(error)
    }
  }

  /// Hands the agent's own tokens to the parts that use them.
  func useTokens(_ tokens: RuntimeConfiguration.ACL.Tokens) {
    credentials.set(tokens)
    access?.setRecoveryToken(Secret(tokens.agentRecovery))
    server?.setReplicationToken(Secret(tokens.replication))
    local.setTokens(.init(configuration))
  }

  public func monitor(
    level: String, json: Bool, _ receive: @escaping @Sendable (String) -> Void
  ) -> any LogSubscription {
    let sink = MonitorSink(level: LogLevel(level) ?? .info, json: json, receive)
    LogOutput.shared.add(sink)
    return sink
  }
}

/// Log lines for a client that watches.
private final class MonitorSink: LogSink, LogSubscription {
  let level: LogLevel
  private let json: Bool
  private let receive: @Sendable (String) -> Void

  init(level: LogLevel, json: Bool, _ receive: @escaping @Sendable (String) -> Void) {
    self.level = level
    self.json = json
    self.receive = receive
  }

  func write(_ record: LogRecord) { receive(json ? record.json : record.line) }
  func cancel() { LogOutput.shared.remove(self) }
}

extension AgentMember {
  /// A member as the API shows it, with the numbers of Serf's protocol.
  init(_ member: ClusterMember) {
    self.init()
    name = member.name
    address = member.address
    port = member.port
    tags = StringMap(member.tags.map { (key: $0.key, value: $0.value) })
    status =
      switch member.status {
      case .none: 0
      case .alive: 1
      case .leaving: 2
      case .left: 3
      case .failed: 4
      }
    protocolMin = member.protocolMinimum
    protocolMax = member.protocolMaximum
    protocolCurrent = member.protocolCurrent
    delegateMin = 2
    delegateMax = 5
    delegateCurrent = 4
  }
}
