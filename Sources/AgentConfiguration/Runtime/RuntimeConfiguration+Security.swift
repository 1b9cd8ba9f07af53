import Model

// Who may do what, and who is who.
extension RuntimeConfiguration {
  public struct ACL: Sendable, Equatable {
    /// Secrets of the agent's own tokens; empty: none.
    public struct Tokens: Sendable, Equatable {
      public var initialManagement: String
      public var `default`: String
      public var agent: String
      public var agentRecovery: String
      public var replication: String
      public var configFileServiceRegistration: String
      public var dns: String
    }

    public var enabled: Bool
    /// `allow` or `deny`; the agent refuses other words at start.
    public var defaultPolicy: String
    /// `allow`, `deny`, `extend-cache` or `async-cache`; the agent refuses other words at start.
    public var downPolicy: String
    public var tokenTTL: GoDuration
    public var policyTTL: GoDuration
    /// 0: as long as policies.
    public var roleTTL: GoDuration
    public var enableKeyListPolicy: Bool
    /// Whether refusals are only noted.
    public var dryRun: Bool
    public var enableTokenReplication: Bool
    public var enableTokenPersistence: Bool
    public var tokens: Tokens

    init(_ reader: inout SettingReader) {
      enabled = reader.bool("acl.enabled")
      defaultPolicy = reader.string("acl.default_policy")
      downPolicy = reader.string("acl.down_policy")
      tokenTTL = reader.duration("acl.token_ttl")
      policyTTL = reader.duration("acl.policy_ttl")
      roleTTL = reader.duration("acl.role_ttl")
      enableKeyListPolicy = reader.bool("acl.enable_key_list_policy")
      dryRun = reader.bool("acl.dry_run")
      enableTokenReplication = reader.bool("acl.enable_token_replication")
      enableTokenPersistence = reader.bool("acl.enable_token_persistence")
      tokens = Tokens(
        initialManagement: reader.string("acl.tokens.initial_management"), default: reader.string("acl.tokens.default"),
        agent: reader.string("acl.tokens.agent"), agentRecovery: reader.string("acl.tokens.agent_recovery"),
        replication: reader.string("acl.tokens.replication"),
        configFileServiceRegistration: reader.string("acl.tokens.config_file_service_registration"),
        dns: reader.string("acl.tokens.dns"))
    }
  }

  /// Clients that get their certificates from servers, and servers that give them.
  public struct AutoEncrypt: Sendable, Equatable {
    public var tls: Bool
    public var allowTLS: Bool
    public var dnsSANs: [String]
    public var ipSANs: [IPAddress]

    init(_ reader: inout SettingReader) {
      tls = reader.bool("auto_encrypt.tls")
      allowTLS = reader.bool("auto_encrypt.allow_tls")
      dnsSANs = reader.strings("auto_encrypt.dns_san")
      ipSANs = reader.addressList("auto_encrypt.ip_san")
    }
  }

  /// Clients that get their security configuration from servers, and servers that give it.
  public struct AutoConfig: Sendable, Equatable {
    public struct Authorizer: Sendable, Equatable {
      public var enabled: Bool
      public var allowReuse: Bool
      public var claimAssertions: [String]
      public var claimMappings: [String: String]
      public var listClaimMappings: [String: String]
      public var supportedAlgorithms: [String]
      public var boundAudiences: [String]
      public var boundIssuer: String
      public var oidcDiscoveryURL: String
      public var oidcDiscoveryCACertificate: String
      public var jwksURL: String
      public var jwksCACertificate: String
      public var validationPublicKeys: [String]
      public var expirationLeeway: GoDuration
      public var notBeforeLeeway: GoDuration
      public var clockSkewLeeway: GoDuration
    }

    public var enabled: Bool
    public var introToken: String
    public var introTokenFile: String
    public var serverAddresses: [String]
    public var dnsSANs: [String]
    public var ipSANs: [IPAddress]
    public var authorizer: Authorizer

    init(_ reader: inout SettingReader, _ host: HostEnvironment) {
      /// What the environment says wins.
      func value(_ path: String, _ variable: String) -> String {
        host.variable(variable).flatMap { $0.isEmpty ? nil : $0 } ?? reader.string(path)
      }
      enabled = reader.bool("auto_config.enabled")
      introToken = value("auto_config.intro_token", "CONSUL_INTRO_TOKEN")
      introTokenFile = value("auto_config.intro_token_file", "CONSUL_INTRO_TOKEN_FILE")
      serverAddresses = reader.expandedStrings("auto_config.server_addresses")
      dnsSANs = reader.strings("auto_config.dns_sans")
      ipSANs = reader.addressList("auto_config.ip_sans")
      authorizer = Self.authorizer(&reader)
    }

    private static func authorizer(_ reader: inout SettingReader) -> Authorizer {
      let block = "auto_config.authorization.static"
      return Authorizer(
        enabled: reader.bool("auto_config.authorization.enabled"), allowReuse: reader.bool("\(block).allow_reuse"),
        claimAssertions: reader.strings("\(block).claim_assertions"),
        claimMappings: reader.stringMap("\(block).claim_mappings"),
        listClaimMappings: reader.stringMap("\(block).list_claim_mappings"),
        supportedAlgorithms: reader.strings("\(block).jwt_supported_algs"),
        boundAudiences: reader.strings("\(block).bound_audiences"), boundIssuer: reader.string("\(block).bound_issuer"),
        oidcDiscoveryURL: reader.string("\(block).oidc_discovery_url"),
        oidcDiscoveryCACertificate: reader.string("\(block).oidc_discovery_ca_cert"),
        jwksURL: reader.string("\(block).jwks_url"), jwksCACertificate: reader.string("\(block).jwks_ca_cert"),
        validationPublicKeys: reader.strings("\(block).jwt_validation_pub_keys"),
        expirationLeeway: reader.duration("\(block).expiration_leeway"),
        notBeforeLeeway: reader.duration("\(block).not_before_leeway"),
        clockSkewLeeway: reader.duration("\(block).clock_skew_leeway"))
    }
  }

  /// The service mesh.
  public struct Connect: Sendable, Equatable {
    public var enabled: Bool
    /// Empty: the built-in one.
    public var caProvider: String
    /// Options of the provider under their API names (`LeafCertTTL`).
    public var caConfig: DynamicMap
    public var meshGatewayWANFederation: Bool
    public var serverlessPlugin: Bool
    /// Built-in proxies run even if the agent runs as root.
    public var allowManagedProxyAsRoot: Bool
    /// Services that were registered over HTTP may have built-in proxies.
    public var allowManagedProxyAPIRegistration: Bool

    init(_ reader: SettingReader) {
      enabled = reader.bool("connect.enabled")
      caProvider = reader.string("connect.ca_provider")
      meshGatewayWANFederation = reader.bool("connect.enable_mesh_gateway_wan_federation")
      serverlessPlugin = reader.bool("connect.enable_serverless_plugin")
      allowManagedProxyAsRoot = reader.bool("connect.proxy.allow_managed_root")
      allowManagedProxyAPIRegistration = reader.bool("connect.proxy.allow_managed_api_registration")
      caConfig = DynamicMap(
        DynamicObject(reader.values.object("connect.ca_config").map { (Self.apiName($0.key), $0.value) }))
    }

    /// `leaf_cert_ttl` is `LeafCertTTL` in the API; keys in the API's own form stay.
    static func apiName(_ key: String) -> String {
      guard key.contains("_") || key == key.lowercased() else { return key }
      let initialisms: [String: String] = [
        "ttl": "TTL", "csr": "CSR", "pki": "PKI", "ca": "CA", "tls": "TLS", "id": "ID", "arn": "ARN",
      ]
      return key.split(separator: "_").map { part in
        let word = part.lowercased()
        return initialisms[word] ?? word.prefix(1).uppercased() + word.dropFirst()
      }.joined()
    }
  }
}

extension SettingReader {
  /// Texts that must be IP addresses.
  mutating func addressList(_ path: String) -> [IPAddress] {
    strings(path).enumerated().compactMap { index, text in
      if let address = IPAddress(text) { return address }
      problem("\(path)[\(index)]: invalid ip address: \(text)")
      return nil
    }
  }
}
