import AccessControl
import Model
import State

/// The roots that certificates of the mesh are trusted by.
public struct ConnectCARoots: CacheableQuery {
  public static let method = "ConnectCA.Roots"
  public static var needsMesh: Bool { true }

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<CARoots> {
    let roots = state.caRoots
    let clusterID = state.caConfiguration?.clusterID ?? ""
    return QueryResult(
      index: roots.index,
      value: CARoots(
        activeID: state.activeCARoot?.id ?? "", trustDomain: clusterID.isEmpty ? "" : "\(clusterID).consul",
        roots: roots.value),
      watch: roots.watch)
  }
}

/// What everybody may know of the certificate authority.
public struct CARoots: Sendable {
  public var activeID: String
  public var trustDomain: String
  public var roots: [Row<CARoot>]

  public init(activeID: String = "", trustDomain: String = "", roots: [Row<CARoot>] = []) {
    self.activeID = activeID
    self.trustDomain = trustDomain
    self.roots = roots
  }

  /// In PEM, intermediate ones included.
  public var certificates: [String] { roots.flatMap { [$0.value.rootCert] + $0.value.intermediateCerts } }
}

/// What operators want of the certificate authority.
public struct ConnectCAConfigurationGet: ReadQuery {
  public static let method = "ConnectCA.ConfigurationGet"
  public static var needsMesh: Bool { true }

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<CAConfiguration> {
    let configuration = state.caConfiguration
    return QueryResult(
      index: configuration?.modifyIndex ?? 0, value: configuration ?? CAConfiguration(), watch: [])
  }
}

/// Changes that; another root takes the place of the active one where that needs it.
public struct ConnectCAConfigurationSet: WriteRequest {
  public static let method = "ConnectCA.ConfigurationSet"
  public var configuration: CAConfiguration

  public init(_ configuration: CAConfiguration) { self.configuration = configuration }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Void> {
    let authority = try context.requireAuthority()
    try context.require(.operatorWrite)
    guard authority.settings.isPrimary else { throw .invalid("not the primary datacenter") }
    return .work { [configuration] completion in authority.configure(configuration, completion) }
  }
}

/// Has a certificate signed.
public struct ConnectCASign: WriteRequest {
  public static let method = "ConnectCA.Sign"
  /// PEM.
  public var signingRequest: String

  public init(signingRequest: String) { self.signingRequest = signingRequest }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<IssuedCertificate> {
    let authority = try context.requireAuthority()
    let request = try LeafRequest(pem: signingRequest)
    let permission = try request.permission
    try context.require(permission)
    return .work { completion in authority.sign(request, completion) }
  }
}

extension WriteContext {
  /// - Throws: what the reference says where there is no service mesh.
  func requireAuthority() throws(ServerError) -> AuthorityDuties {
    guard let authority else { throw .meshDisabled }
    return authority
  }
}
