// ACLs, gossip encryption, TLS, automatic certificates.
extension SettingTable {
  static let accessControl: [Setting] = [
    Setting("acl.enabled", .bool, default: false, debug: "ACLsEnabled", "Turns the ACL system on."),
    Setting(
      "acl.default_policy", .string, default: "allow", "What a token without a matching rule may do: allow or deny."),
    Setting(
      "default_intention_policy", .string, default: "",
      "Whether services of the mesh may connect where no intention says otherwise: allow or deny; empty is what "
        + "acl.default_policy says, and allow without ACLs."),
    Setting(
      "acl.down_policy", .string, default: "extend-cache",
      "What happens when tokens cannot be resolved: allow, deny, extend-cache or async-cache."),
    Setting("acl.token_ttl", .duration, default: "30s", "How long resolved tokens are kept."),
    Setting("acl.policy_ttl", .duration, default: "30s", "How long resolved policies are kept."),
    Setting("acl.role_ttl", .duration, default: "0s", "How long resolved roles are kept; 0 is the time of policies."),
    Setting(
      "acl.enable_key_list_policy", .bool, default: false, debug: "ACLEnableKeyListPolicy",
      "Recursive reads of keys need the list right on the prefix."),
    Setting(
      "acl.dry_run", .bool, default: false,
      "Lets requests through that access control would refuse, and lists them at `GET /v1/acl/dry-run`: to find out what a "
        + "cluster needs before its `default_policy` becomes `deny`. Access control itself stays protected."),
    Setting(
      "acl.enable_token_replication", .bool, default: false, debug: "ACLTokenReplication",
      "In a secondary datacenter: keeps the primary's global tokens here, so that they work while it is away, and allows "
        + "tokens of this datacenter alone. Policies and roles are kept in any case."),
    Setting(
      "acl.enable_token_persistence", .bool, default: false, debug: "ACLTokens.EnablePersistence",
      "Tokens set over HTTP survive a restart."),
    Setting(
      "acl.tokens.initial_management", .string, default: "", traits: [.secret], debug: "ACLInitialManagementToken",
      "Secret of the first management token, made when a leader starts."),
    Setting(
      "acl.tokens.default", .string, default: "", traits: [.reloadable, .secret], debug: "ACLTokens.ACLDefaultToken",
      "Token of requests that bring none."),
    Setting(
      "acl.tokens.agent", .string, default: "", traits: [.reloadable, .secret], debug: "ACLTokens.ACLAgentToken",
      "Token of the agent's own work. Without it, the default token."),
    Setting(
      "acl.tokens.agent_recovery", .string, default: "", traits: [.reloadable, .secret],
      debug: "ACLTokens.ACLAgentRecoveryToken",
      "Token that opens the agent's endpoints while no server can resolve tokens."),
    Setting(
      "acl.tokens.replication", .string, default: "", traits: [.reloadable, .secret],
      debug: "ACLTokens.ACLReplicationToken",
      "Token with which servers of a secondary datacenter ask the primary for policies, roles and tokens: it needs acl = "
        + "\"read\", and \"write\" where tokens are replicated."),
    Setting(
      "acl.tokens.config_file_service_registration", .string, default: "", traits: [.reloadable, .secret],
      debug: "ACLTokens.ACLConfigFileRegistrationToken",
      "Token of services and checks from configuration files that bring none."),
    Setting(
      "acl.tokens.dns", .string, default: "", traits: [.reloadable, .secret], debug: "ACLTokens.ACLDNSToken",
      "Token of DNS answers. Without it, the default token."),
    Setting(
      "acl.tokens.managed_service_provider", .blocks(serviceProviderToken), traits: [.enterprise],
      "Tokens of a managed service provider."),
    Setting(
      "acl.msp_disable_bootstrap", .bool, default: false, traits: [.enterprise],
      "Refuses to bootstrap the ACL system over HTTP."),
  ]

  private static let serviceProviderToken: [Setting] = [
    Setting("accessor_id", .string, "Accessor of the token."),
    Setting("secret_id", .string, traits: [.secret], "Secret of the token."),
  ]

  static let encryption: [Setting] = [
    Setting(
      "encrypt", .string, default: "", traits: [.secret], debug: "EncryptKey",
      "Key of gossip encryption: 16, 24 or 32 bytes in base64."),
    Setting(
      "encrypt_verify_incoming", .bool, default: true, debug: "StaticRuntimeConfig.EncryptVerifyIncoming",
      "Refuses gossip that is not encrypted."),
    Setting(
      "encrypt_verify_outgoing", .bool, default: true, debug: "StaticRuntimeConfig.EncryptVerifyOutgoing",
      "Sends only encrypted gossip."),
    Setting(
      "disable_keyring_file", .bool, default: false, debug: "DisableKeyringFile", "Keeps no file of gossip keys."),
  ]

  static let tls: [Setting] =
    interface("defaults", "all interfaces") + interface("https", "the HTTPS listener")
    + interface("grpc", "the gRPC listener with TLS") + interface("internal_rpc", "RPC between agents and servers") + [
      Setting(
        "tls.grpc.use_auto_cert", .bool, default: false, debug: "TLS.GRPC.UseAutoCert",
        "The gRPC listener presents the automatic certificate."),
      Setting(
        "server_name", .string, default: "", debug: "ServerName", "Name in the certificate, instead of the node's."),
    ]

  /// The options that each TLS interface has. Those of an interface without a value are taken from `tls.defaults`.
  private static func interface(_ name: String, _ description: String) -> [Setting] {
    let block = "tls." + name
    let debugBlocks = ["https": "TLS.HTTPS", "grpc": "TLS.GRPC", "internal_rpc": "TLS.InternalRPC"]
    func shown(_ field: String) -> String? { debugBlocks[name].map { "\($0).\(field)" } }
    let files: Setting.Traits = [.reloadable]
    return [
      Setting(
        "\(block).ca_file", .string, traits: files, debug: shown("CAFile"),
        "File with the authorities for \(description) (PEM)."),
      Setting(
        "\(block).ca_path", .string, traits: files, debug: shown("CAPath"),
        "Directory with the authorities for \(description) (PEM)."),
      Setting(
        "\(block).cert_file", .string, traits: files, debug: shown("CertFile"),
        "File with the certificate for \(description) (PEM)."),
      Setting(
        "\(block).key_file", .string, traits: [.reloadable, .secret], debug: shown("KeyFile"),
        "File with the private key for \(description) (PEM)."),
      Setting(
        "\(block).tls_min_version", .string, traits: files, debug: shown("TLSMinVersion"),
        "Oldest TLS version of \(description): TLSv1_0 to TLSv1_3; TLSv1_2 unless set."),
      Setting(
        "\(block).tls_cipher_suites", .string, traits: files, debug: shown("CipherSuites"),
        "Cipher suites of \(description) up to TLS 1.2, separated by commas."),
      Setting(
        "\(block).verify_incoming", .bool, traits: files, debug: shown("VerifyIncoming"),
        "Clients of \(description) must present a certificate."),
      Setting(
        "\(block).verify_outgoing", .bool, traits: files, debug: shown("VerifyOutgoing"),
        "Connections to other agents over \(description) use TLS and check the certificate."),
      Setting(
        "\(block).verify_server_hostname", .bool, traits: files, debug: shown("VerifyServerHostname"),
        "Servers must present a certificate for server.<datacenter>.<domain>; for tls.defaults and tls.internal_rpc."),
    ]
  }

  static let automaticTLS: [Setting] = [
    Setting(
      "auto_encrypt.tls", .bool, default: false, debug: "AutoEncryptTLS",
      "Clients get their certificate from the servers."),
    Setting(
      "auto_encrypt.allow_tls", .bool, default: false, debug: "AutoEncryptAllowTLS",
      "Servers hand out certificates to clients."),
    Setting(
      "auto_encrypt.dns_san", .strings, default: [], debug: "AutoEncryptDNSSAN",
      "DNS names to ask for in the certificate."),
    Setting(
      "auto_encrypt.ip_san", .strings, default: [], debug: "AutoEncryptIPSAN",
      "IP addresses to ask for in the certificate."),
    Setting(
      "auto_config.enabled", .bool, default: false, debug: "AutoConfig.Enabled",
      "Clients get their whole security configuration from the servers."),
    Setting(
      "auto_config.intro_token", .string, default: "", traits: [.secret], debug: "AutoConfig.IntroToken",
      "JWT that introduces the client."),
    Setting(
      "auto_config.intro_token_file", .string, default: "", debug: "AutoConfig.IntroTokenFile", "File with that JWT."),
    Setting(
      "auto_config.server_addresses", .strings, default: [], debug: "AutoConfig.ServerAddresses", "Servers to ask."),
    Setting(
      "auto_config.dns_sans", .strings, default: [], debug: "AutoConfig.DNSSANs",
      "DNS names to ask for in the certificate."),
    Setting(
      "auto_config.ip_sans", .strings, default: [], debug: "AutoConfig.IPSANs",
      "IP addresses to ask for in the certificate."),
    Setting(
      "auto_config.authorization.enabled", .bool, default: false, debug: "AutoConfig.Authorizer.Enabled",
      "Servers answer such clients."),
    Setting(
      "auto_config.authorization.static.allow_reuse", .bool, default: false, debug: "AutoConfig.Authorizer.AllowReuse",
      "A JWT may be used more than once."),
    Setting(
      "auto_config.authorization.static.claim_assertions", .strings, default: [],
      debug: "AutoConfig.Authorizer.ClaimAssertions",
      "Filter expressions over the claims that must hold; ${node} is the client's name."),
    Setting(
      "auto_config.authorization.static.claim_mappings", .stringMap,
      debug: "AutoConfig.Authorizer.AuthMethod.Config.ClaimMappings", "Claims to names for the assertions."),
    Setting(
      "auto_config.authorization.static.list_claim_mappings", .stringMap,
      debug: "AutoConfig.Authorizer.AuthMethod.Config.ListClaimMappings",
      "Claims that are lists, to names for the assertions."),
    Setting(
      "auto_config.authorization.static.jwt_supported_algs", .strings,
      debug: "AutoConfig.Authorizer.AuthMethod.Config.JWTSupportedAlgs", "Signature algorithms that are accepted."),
    Setting(
      "auto_config.authorization.static.bound_audiences", .strings,
      debug: "AutoConfig.Authorizer.AuthMethod.Config.BoundAudiences", "Audiences of which the JWT must name one."),
    Setting(
      "auto_config.authorization.static.bound_issuer", .string, default: "",
      debug: "AutoConfig.Authorizer.AuthMethod.Config.BoundIssuer", "Issuer that the JWT must have."),
    Setting(
      "auto_config.authorization.static.oidc_discovery_url", .string, default: "",
      debug: "AutoConfig.Authorizer.AuthMethod.Config.OIDCDiscoveryURL", "OIDC discovery document of the issuer."),
    Setting(
      "auto_config.authorization.static.oidc_discovery_ca_cert", .string, default: "",
      debug: "AutoConfig.Authorizer.AuthMethod.Config.OIDCDiscoveryCACert", "Authority of the discovery server (PEM)."),
    Setting(
      "auto_config.authorization.static.jwks_url", .string, default: "",
      debug: "AutoConfig.Authorizer.AuthMethod.Config.JWKSURL", "Key set of the issuer."),
    Setting(
      "auto_config.authorization.static.jwks_ca_cert", .string, default: "",
      debug: "AutoConfig.Authorizer.AuthMethod.Config.JWKSCACert", "Authority of the key set's server (PEM)."),
    Setting(
      "auto_config.authorization.static.jwt_validation_pub_keys", .strings,
      debug: "AutoConfig.Authorizer.AuthMethod.Config.JWTValidationPubKeys", "Public keys of the issuer (PEM)."),
    Setting(
      "auto_config.authorization.static.expiration_leeway", .duration, default: "0s",
      "Tolerance for the expiry time; 0 is 150 seconds, negative none."),
    Setting(
      "auto_config.authorization.static.not_before_leeway", .duration, default: "0s",
      "Tolerance for the start time; 0 is 150 seconds, negative none."),
    Setting(
      "auto_config.authorization.static.clock_skew_leeway", .duration, default: "0s",
      "Tolerance for all times; 0 is 60 seconds, negative none."),
  ]
}
