import AgentConfiguration
import Gossip
import Model
import Server

/// Makes the settings of an agent's pools from its configuration.
struct GossipSetup: Sendable {
  let configuration: RuntimeConfiguration
  let nodeID: String
  let usesTLS: Bool
  let keyrings: KeyringStore
  let dataDirectory: String?

  /// - Throws: `AgentError.configuration` for addresses and keys that make no pool.
  func lan() throws(AgentError) -> GossipPool.Options {
    let it = configuration
    let own = ClusterMember(it, nodeID: nodeID, usesTLS: usesTLS)
    var settings = GossipSettings.agents(name: own.name, advertised: try address(own), isServer: it.isServer)
    settings.tags = own.tags
    if it.addresses.advertiseReconnectTimeout > .zero {
      settings.tags["rc_tm"] = it.addresses.advertiseReconnectTimeout.description
    }
    apply(it.gossipLAN, to: &settings)
    if it.join.reconnectTimeoutLAN > .zero { settings.reconnectTimeout = it.join.reconnectTimeoutLAN }
    try apply(keyrings.keys(wan: false), it.addresses.serfLANAllowed, to: &settings)
    var options = try options(settings, bind: it.addresses.serfLANBind, port: it.ports.serfLAN, wan: false)
    options.refusal = Admission.agents(name: own.name, nodeID: nodeID, datacenter: it.datacenter)
    return options
  }

  /// The pool of all datacenters' servers; nil where it is turned off.
  func wan() throws(AgentError) -> GossipPool.Options? {
    let it = configuration
    guard it.isServer, it.ports.serfWAN > 0 else { return nil }
    let own = ClusterMember(wan: it, nodeID: nodeID, usesTLS: usesTLS)
    var settings = GossipSettings.servers(name: own.name, advertised: try address(own))
    settings.tags = own.tags
    apply(it.gossipWAN, to: &settings)
    if it.join.reconnectTimeoutWAN > .zero { settings.reconnectTimeout = it.join.reconnectTimeoutWAN }
    try apply(keyrings.keys(wan: true), it.addresses.serfWANAllowed, to: &settings)
    var options = try options(settings, bind: it.addresses.serfWANBind, port: it.ports.serfWAN, wan: true)
    options.refusal = Admission.servers { ServerMember(ClusterMember($0)) != nil }
    return options
  }

  private func options(
    _ settings: GossipSettings, bind: Model.IPAddress, port: Int, wan: Bool
  ) throws(AgentError) -> GossipPool.Options {
    guard let ip = Gossip.IPAddress(bind.description), let port = UInt16(exactly: port) else {
      throw .configuration("gossip cannot listen on \(bind):\(port)")
    }
    var settings = settings
    settings.rejoinsAfterLeave = configuration.rejoinAfterLeave
    settings.usesCoordinates = !configuration.disableCoordinates
    var options = GossipPool.Options(settings, bind: NodeAddress(ip, port))
    if let dataDirectory {
      try DataDirectory.make("\(dataDirectory)/serf")
      options.snapshotPath = "\(dataDirectory)/serf/\(wan ? "remote" : "local").snapshot"
    }
    options.keepKeys = { [keyrings] in keyrings.changed($0, wan: wan) }
    return options
  }

  private func address(_ member: ClusterMember) throws(AgentError) -> NodeAddress {
    guard let ip = Gossip.IPAddress(member.address), let port = UInt16(exactly: member.port) else {
      throw .configuration("gossip cannot be reached at \(member.address):\(member.port)")
    }
    return NodeAddress(ip, port)
  }

  private func apply(_ gossip: RuntimeConfiguration.Gossip, to settings: inout GossipSettings) {
    settings.gossipInterval = gossip.gossipInterval
    settings.gossipNodes = gossip.gossipNodes
    settings.probeInterval = gossip.probeInterval
    settings.probeTimeout = gossip.probeTimeout
    settings.suspicionMultiplier = gossip.suspicionMultiplier
    settings.retransmitMultiplier = gossip.retransmitMultiplier
  }

  private func apply(
    _ keys: [[UInt8]], _ allowed: [CIDR], to settings: inout GossipSettings
  ) throws(AgentError) {
    do throws(GossipError) {
      settings.keyring = try GossipKeyring(keys: keys)
    } catch {
      throw .configuration("\(error)")
    }
    settings.verifiesIncoming = configuration.encryption.verifyIncoming
    settings.verifiesOutgoing = configuration.encryption.verifyOutgoing
    if !allowed.isEmpty { settings.allowedNetworks = allowed.compactMap { Gossip.IPNetwork($0.description) } }
  }
}

extension ClusterMember {
  /// A member as gossip has it.
  init(_ member: Member) {
    self.init(
      name: member.name, address: member.address.ip.description, port: Int(member.address.port), tags: member.tags,
      status: Status(member.status), protocolMinimum: Int(member.versions.minimum),
      protocolMaximum: Int(member.versions.maximum), protocolCurrent: Int(member.versions.current))
  }
}

extension ClusterMember.Status {
  init(_ status: MemberStatus) {
    switch status {
    case .none: self = .none
    case .alive: self = .alive
    case .leaving: self = .leaving
    case .left: self = .left
    case .failed: self = .failed
    }
  }
}
