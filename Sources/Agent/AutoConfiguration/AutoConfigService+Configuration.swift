import AgentConfiguration
import Authentication
import Model
import Server
import TransportSecurity

extension AutoConfigService {
  /// Nil on servers that nobody is introduced to.
  ///
  /// - Throws: `AgentError.configuration` for settings of the authorizer that cannot be used.
  init?(
    _ configuration: RuntimeConfiguration, security: TransportSecurity, keyrings: KeyringStore, members: MemberTable
  ) throws(AgentError) {
    let settings = configuration.autoConfig.authorizer
    guard settings.enabled else { return nil }
    let authorizer: IntroductionAuthorizer
    do throws(AuthenticationError) {
      authorizer = try IntroductionAuthorizer(settings.method, assertions: settings.claimAssertions)
    } catch {
      throw .configuration("auto_config.authorization.static has invalid configuration: \(error)")
    }
    self.init(authorizer: authorizer, providers: ProviderClient(), security: security) { [configuration] in
      let servers = members.members().filter { ServerMember($0) != nil && $0.status == .alive }
      return AutoConfigSettings(
        configuration, key: keyrings.primaryKey(wan: false), servers: servers.map { "\($0.address):\($0.port)" })
    }
  }
}

extension RuntimeConfiguration.AutoConfig.Authorizer {
  /// The settings under the names of the auth method of type `jwt`.
  var method: DynamicMap {
    func list(_ texts: [String]) -> Dynamic { .array(texts.map { .string($0) }) }
    func map(_ texts: [String: String]) -> Dynamic {
      .object(DynamicObject(texts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
    return DynamicMap(
      DynamicObject([
        ("JWTValidationPubKeys", list(validationPublicKeys)), ("JWKSURL", .string(jwksURL)),
        ("JWKSCACert", .string(jwksCACertificate)), ("OIDCDiscoveryURL", .string(oidcDiscoveryURL)),
        ("OIDCDiscoveryCACert", .string(oidcDiscoveryCACertificate)), ("JWTSupportedAlgs", list(supportedAlgorithms)),
        ("BoundAudiences", list(boundAudiences)), ("BoundIssuer", .string(boundIssuer)),
        ("ExpirationLeeway", .int(expirationLeeway.nanoseconds)),
        ("NotBeforeLeeway", .int(notBeforeLeeway.nanoseconds)),
        ("ClockSkewLeeway", .int(clockSkewLeeway.nanoseconds)), ("ClaimMappings", map(claimMappings)),
        ("ListClaimMappings", map(listClaimMappings)),
      ]))
  }
}
