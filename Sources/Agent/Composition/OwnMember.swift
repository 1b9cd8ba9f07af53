import AgentConfiguration
import Model
import Server

extension ClusterMember {
  /// This agent as it presents itself in the LAN pool (wire/gossip.md, section 10).
  ///
  /// - Parameter usesTLS: Whether its server can be reached over TLS.
  init(_ configuration: RuntimeConfiguration, nodeID: String, usesTLS: Bool) {
    let it = configuration
    var tags = [
      "build": "\(Release.version):\(Release.revision)", "dc": it.datacenter, "id": nodeID,
      "role": it.isServer ? "consul" : "node", "segment": "", "vsn": "2", "vsn_max": "3", "vsn_min": "2",
    ]
    if usesTLS { tags["use_tls"] = "1" }
    if it.isServer { tags.merge(Self.serverTags(it)) { $1 } }
    self.init(
      name: it.nodeName, address: it.addresses.advertiseLAN.description, port: it.ports.serfLAN, tags: tags)
  }

  /// This server as it presents itself in the WAN pool.
  init(wan configuration: RuntimeConfiguration, nodeID: String, usesTLS: Bool) {
    self.init(configuration, nodeID: nodeID, usesTLS: usesTLS)
    name += ".\(configuration.datacenter)"
    address = configuration.addresses.advertiseWAN.description
    port = configuration.ports.serfWAN
    tags["wan_join_port"] = nil
  }

  private static func serverTags(_ it: RuntimeConfiguration) -> [String: String] {
    var tags = [
      "acls": it.acl.enabled ? "1" : "0", "ft_fs": "1", "ft_si": "1", "port": String(it.ports.server), "raft_vsn": "3",
    ]
    if it.ports.serfWAN > 0 { tags["wan_join_port"] = String(it.ports.serfWAN) }
    if it.ports.grpc > 0 { tags["grpc_port"] = String(it.ports.grpc) }
    if it.ports.grpcTLS > 0 { tags["grpc_tls_port"] = String(it.ports.grpcTLS) }
    if it.bootstrap { tags["bootstrap"] = "1" }
    if it.bootstrapExpect > 0 { tags["expect"] = String(it.bootstrapExpect) }
    return tags
  }
}
