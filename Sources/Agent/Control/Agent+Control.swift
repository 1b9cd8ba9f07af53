import AgentConfiguration
import HTTPAPI
import Model
import NIOCore
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

  public var wanCoordinates: [DatacenterCoordinates] {
    guard isServer else { return [] }
    var own = NodeCoordinate()
    own.node = nodeName
    own.coord = ownCoordinate
    return [DatacenterCoordinates(datacenter: configuration.datacenter, coordinates: [own])]
  }

  public func members(wan: Bool) -> [AgentMember]? {
    if !wan { return [member] }
    guard isServer else { return nil }
    var server = member
    server.name = "\(configuration.nodeName).\(configuration.datacenter)"
    server.port = configuration.ports.serfWAN
    return [server]
  }

  /// This agent as a member of the cluster.
  var member: AgentMember {
    let it = configuration
    var member = AgentMember()
    member.name = it.nodeName
    member.address = it.addresses.advertiseLAN.description
    member.port = it.ports.serfLAN
    member.status = 1
    member.protocolMin = 1
    member.protocolMax = 5
    member.protocolCurrent = 2
    member.delegateMin = 2
    member.delegateMax = 5
    member.delegateCurrent = 4
    member.tags = [
      "build": "\(Release.version):\(Release.revision)", "dc": it.datacenter, "id": nodeID,
      "role": it.isServer ? "consul" : "node", "segment": "", "vsn": "2", "vsn_max": "3", "vsn_min": "2",
    ]
    guard it.isServer else { return member }
    for (key, value) in serverTags(it) { member.tags[key] = value }
    return member
  }

  private func serverTags(_ it: RuntimeConfiguration) -> [(String, String)] {
    var tags = [
      ("acls", it.acl.enabled ? "1" : "0"), ("ft_fs", "1"), ("ft_si", "1"), ("port", String(it.ports.server)),
      ("raft_vsn", "3"), ("wan_join_port", String(it.ports.serfWAN)),
    ]
    if it.ports.grpc > 0 { tags.append(("grpc_port", String(it.ports.grpc))) }
    if it.ports.grpcTLS > 0 { tags.append(("grpc_tls_port", String(it.ports.grpcTLS))) }
    if it.bootstrap { tags.append(("bootstrap", "1")) }
    if it.bootstrapExpect > 0 { tags.append(("expect", String(it.bootstrapExpect))) }
    return tags
  }

  public func join(_ address: String, wan: Bool, on loop: any EventLoop) -> EventLoopFuture<Void> {
    let it = configuration
    let own = [it.addresses.advertiseLAN.description, it.addresses.advertiseWAN.description, "127.0.0.1", "localhost"]
    if own.contains(address) { return loop.makeSucceededVoidFuture() }
    let port = wan ? it.ports.serfWAN : it.ports.serfLAN
    return Self.refuse(
      "1 error occurred:\n\t* Failed to join \(address):\(port): this release does not form clusters\n\n", on: loop)
  }

  public func forceLeave(_ node: String, wan: Bool, prune: Bool, on loop: any EventLoop) -> EventLoopFuture<Void> {
    Self.refuse("agent: No node found with name '\(node)'", on: loop)
  }

  private static func refuse(_ reason: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
    loop.makeFailedFuture(AgentError.configuration(reason))
  }

  public func leave(on loop: any EventLoop) -> EventLoopFuture<Void> {
    // The answer goes out first: stopping lets answers that are under way finish.
    loop.scheduleTask(in: .milliseconds(50)) { self.end.yield(.leave) }
    return loop.makeSucceededVoidFuture()
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
    local.setTokens(.init(configuration))
  }

  public func monitor(
    level: String, json: Bool, _ receive: @escaping @Sendable (String) -> Void
  ) -> any LogSubscription {
    let sink = MonitorSink(level: Telemetry.LogLevel(level) ?? .info, json: json, receive)
    LogOutput.shared.add(sink)
    return sink
  }
}

/// Log lines for a client that watches.
private final class MonitorSink: LogSink, LogSubscription {
  let level: Telemetry.LogLevel
  private let json: Bool
  private let receive: @Sendable (String) -> Void

  init(level: Telemetry.LogLevel, json: Bool, _ receive: @escaping @Sendable (String) -> Void) {
    self.level = level
    self.json = json
    self.receive = receive
  }

  func write(_ record: LogRecord) { receive(json ? record.json : record.line) }
  func cancel() { LogOutput.shared.remove(self) }
}
