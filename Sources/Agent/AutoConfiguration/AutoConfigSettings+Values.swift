import AgentConfiguration
import Model
import Server

// What servers tell a new agent, on both sides.

extension AutoConfigSettings {
  /// The settings as a source of configuration. What the servers leave open stays with the agent.
  var values: SettingValues {
    var values = SettingValues()
    func set(_ path: String, _ text: String) { if !text.isEmpty { values[path] = .string(text) } }
    set("datacenter", datacenter)
    set("primary_datacenter", primaryDatacenter)
    set("node_name", nodeName)
    if let acl {
      values["acl.enabled"] = .bool(acl.enabled)
      set("acl.policy_ttl", acl.policyTTL)
      set("acl.role_ttl", acl.roleTTL)
      set("acl.token_ttl", acl.tokenTTL)
      set("acl.down_policy", acl.downPolicy)
      set("acl.default_policy", acl.defaultPolicy)
      values["acl.enable_key_list_policy"] = .bool(acl.enableKeyListPolicy)
      values["acl.enable_token_persistence"] = .bool(acl.enableTokenPersistence)
      set("acl.tokens.default", acl.tokens?.default ?? "")
      set("acl.tokens.agent", acl.tokens?.agent ?? "")
    }
    if let encryption = gossip?.encryption, !encryption.key.isEmpty {
      set("encrypt", encryption.key)
      values["encrypt_verify_incoming"] = .bool(encryption.verifyIncoming)
      values["encrypt_verify_outgoing"] = .bool(encryption.verifyOutgoing)
    }
    if let addresses = gossip?.retryJoinLAN, !addresses.isEmpty {
      values["retry_join"] = .array(addresses.map { .string($0) })
    }
    if let tls {
      if tls.verifyOutgoing { values["tls.internal_rpc.verify_outgoing"] = true }
      if tls.verifyServerHostname { values["tls.internal_rpc.verify_server_hostname"] = true }
      set("tls.defaults.tls_cipher_suites", tls.cipherSuites)
      set("tls.defaults.tls_min_version", tls.minVersion)
    }
    return values
  }

  /// What a server with this configuration tells all agents.
  ///
  /// - Parameters:
  ///   - key: that of gossip in base64; nil where it is not encrypted.
  ///   - servers: addresses for joining.
  init(_ configuration: RuntimeConfiguration, key: String?, servers: [String]) {
    self.init()
    primaryDatacenter = configuration.primaryDatacenter
    var acl = ACL()
    acl.enabled = configuration.acl.enabled
    acl.policyTTL = configuration.acl.policyTTL.description
    acl.roleTTL = configuration.acl.roleTTL > .zero ? configuration.acl.roleTTL.description : ""
    acl.tokenTTL = configuration.acl.tokenTTL.description
    acl.downPolicy = configuration.acl.downPolicy
    acl.defaultPolicy = configuration.acl.defaultPolicy
    acl.enableKeyListPolicy = configuration.acl.enableKeyListPolicy
    acl.enableTokenPersistence = configuration.acl.enableTokenPersistence
    self.acl = acl
    var gossip = Gossip()
    if let key {
      var encryption = Encryption()
      encryption.key = key
      encryption.verifyIncoming = configuration.encryption.verifyIncoming
      encryption.verifyOutgoing = configuration.encryption.verifyOutgoing
      gossip.encryption = encryption
    }
    gossip.retryJoinLAN = servers
    self.gossip = gossip
    var tls = TLS()
    tls.verifyOutgoing = configuration.tls.internalRPC.verifyOutgoing
    tls.verifyServerHostname = configuration.tls.internalRPC.verifyServerHostname
    tls.cipherSuites = configuration.tls.internalRPC.cipherSuites.joined(separator: ",")
    tls.minVersion = configuration.tls.internalRPC.minVersion.rawValue
    self.tls = tls
  }
}
