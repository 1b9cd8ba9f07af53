import Model

// Roles, keys, certificates, and what the mesh needs.
extension Validation {
  // MARK: Servers

  static func checkServerRole(
    _ configuration: RuntimeConfiguration, _ warnings: inout [String]
  ) throws(ConfigurationError) {
    let isServer = configuration.isServer
    if configuration.connect.meshGatewayWANFederation {
      guard isServer else {
        throw .invalid("'connect.enable_mesh_gateway_wan_federation = true' requires 'server = true'")
      }
      guard configuration.connect.enabled else {
        throw .invalid("'connect.enable_mesh_gateway_wan_federation = true' requires 'connect.enabled = true'")
      }
      guard !configuration.nodeName.contains("/") else {
        throw .invalid(
          "'connect.enable_mesh_gateway_wan_federation = true' requires that 'node_name' not contain '/' characters")
      }
    }
    if !configuration.join.primaryGateways.isEmpty {
      guard isServer else { throw .invalid("'primary_gateways' requires 'server = true'") }
      guard configuration.primaryDatacenter != configuration.datacenter else {
        throw .invalid("'primary_gateways' should only be configured in a secondary datacenter")
      }
    }
    try checkBootstrap(configuration, &warnings)
    if configuration.addresses.advertiseReconnectTimeout > .zero, isServer {
      throw .invalid("advertise_reconnect_timeout can only be used on a client")
    }
  }

  private static func checkBootstrap(
    _ configuration: RuntimeConfiguration, _ warnings: inout [String]
  ) throws(ConfigurationError) {
    let expected = configuration.bootstrapExpect
    if expected > 0, configuration.isDevelopment { throw .invalid("'bootstrap_expect > 0' not allowed in dev mode") }
    if expected > 0, configuration.bootstrap {
      throw .invalid("'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive")
    }
    if expected > 0, !configuration.isServer { throw .invalid("'bootstrap_expect > 0' requires 'server = true'") }
    if expected == 1 { warnings.append("BootstrapExpect is set to 1; this is the same as Bootstrap mode.") }
    if expected == 2 {
      warnings.append(
        "bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance."
          + " See https://developer.hashicorp.com/docs/internals/consensus.html#deployment-table")
    } else if expected > 2, expected.isMultiple(of: 2) {
      warnings.append(
        "bootstrap_expect is even number: A cluster with an even number of servers does not achieve optimum fault"
          + " tolerance. See https://developer.hashicorp.com/docs/internals/consensus.html#deployment-table")
    }
    if configuration.bootstrap || expected == 1 {
      warnings.append("bootstrap = true: do not enable unless necessary")
    }
    if expected > 1 { warnings.append("bootstrap_expect > 0: expecting \(expected) servers") }
  }

  // MARK: Keys and certificates

  static func checkSecurity(
    _ configuration: RuntimeConfiguration, _ warnings: inout [String]
  ) throws(ConfigurationError) {
    if let problem = GossipKey.problem(configuration.encryption.key) {
      throw .invalid("encrypt has invalid key: \(problem)")
    }
    // Only a port that the user set counts: servers have 8503 unless told otherwise.
    if !configuration.addresses.grpc.isEmpty, configuration.addresses.grpcTLS.isEmpty,
      configuration.tls.grpc.isConfigured
    {
      throw .invalid(
        "the `ports.grpc` listener no longer supports TLS. Use `ports.grpc_tls` instead. This message is appearing"
          + " because GRPC is configured to use TLS, but `ports.grpc_tls` is not defined")
    }
    if configuration.ports.grpc > 0, configuration.ports.grpc == configuration.ports.grpcTLS {
      throw .invalid("`ports.grpc` and `ports.grpc_tls` may not use the same port")
    }
    try checkAutomaticConfiguration(configuration)
    let checks = configuration.checkSettings
    if checks.enableRemoteScripts, !configuration.acl.enabled, configuration.http.allowWriteFrom.isEmpty {
      warnings.append(
        "using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS, use"
          + " enable-local-script-checks instead, see"
          + " https://www.hashicorp.com/blog/protecting-consul-from-rce-risk-in-specific-configurations/")
    }
  }

  private static func checkAutomaticConfiguration(
    _ configuration: RuntimeConfiguration
  ) throws(ConfigurationError) {
    let automatic = configuration.autoConfig
    if automatic.enabled {
      guard !configuration.isServer else {
        throw .invalid("auto_config.enabled cannot be set to true for server agents.")
      }
      guard !configuration.autoEncrypt.tls else {
        throw .invalid("both auto_encrypt.tls and auto_config.enabled cannot be set to true.")
      }
      let hasToken = !automatic.introToken.isEmpty || !automatic.introTokenFile.isEmpty
      guard hasToken else {
        throw .invalid(
          "One of auto_config.intro_token, auto_config.intro_token_file or the CONSUL_INTRO_TOKEN environment variable"
            + " must be set to enable auto_config")
      }
      guard !automatic.serverAddresses.isEmpty else {
        throw .invalid("auto_config.enabled is set without providing a list of addresses")
      }
      guard configuration.tls.internalRPC.verifyOutgoing else {
        throw .invalid("auto_config.enabled cannot be set without configuring TLS for server communications")
      }
    }
    let authorizer = automatic.authorizer
    guard authorizer.enabled else { return }
    guard configuration.isServer else {
      throw .invalid("auto_config.authorization.enabled cannot be set to true for client agents")
    }
    let sources = [
      !authorizer.jwksURL.isEmpty, !authorizer.validationPublicKeys.isEmpty, !authorizer.oidcDiscoveryURL.isEmpty,
    ]
    guard sources.filter({ $0 }).count == 1 else {
      throw .invalid(
        "auto_config.authorization.static has invalid configuration: exactly one of 'JWTValidationPubKeys', 'JWKSURL',"
          + " or 'OIDCDiscoveryURL' must be set for type \"jwt\"")
    }
  }

  // MARK: Mesh

  static func checkMesh(_ configuration: RuntimeConfiguration) throws(ConfigurationError) {
    try CertificateAuthoritySettings.check(configuration.connect)
    _ = try configuration.initialConfigEntries()
    for (index, watch) in configuration.watches.enumerated() {
      if let problem = WatchSettings.problem(watch) { throw .invalid("watches[\(index)]: \(problem)") }
    }
  }
}
