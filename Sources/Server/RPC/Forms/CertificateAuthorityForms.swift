import Model

// How the certificate authority's requests travel.

/// The roots as they travel.
public struct IndexedCARoots: RPCReply {
  public var activeRootID = ""
  public var trustDomain = ""
  public var roots: [Row<CARoot>] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public init(_ roots: CARoots) {
    activeRootID = roots.activeID
    trustDomain = roots.trustDomain
    self.roots = roots.roots
  }

  public static let schema = Schema<IndexedCARoots>("structs.IndexedCARoots") {
    $0.field("ActiveRootID", \.activeRootID)
    $0.field("TrustDomain", \.trustDomain)
    $0.field("Roots", \.roots)
    $0.embed(\.meta)
  }

  var value: CARoots { CARoots(activeID: activeRootID, trustDomain: trustDomain, roots: roots) }
}

/// Asks for a signature.
public struct CASignRequest: RPCWriteRequest {
  public var datacenter = ""
  /// PEM.
  public var csr = ""
  public var token = ""

  public init() {}

  public static let schema = Schema<CASignRequest>("structs.CASignRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("CSR", \.csr)
    $0.field("Token", \.token)
  }
}

extension CARequest: RPCWriteRequest {}

extension ConnectCARoots {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }
  public static func response(_ reply: CARoots) -> IndexedCARoots { IndexedCARoots(reply) }
  public static func reply(_ response: IndexedCARoots) -> CARoots { response.value }
}

extension ConnectCAConfigurationGet {
  public var request: DCSpecificRequest { DCSpecificRequest() }
  public init(request: DCSpecificRequest) { self.init() }
  public static func response(_ reply: CAConfiguration) -> CAConfiguration { reply }
  public static func reply(_ response: CAConfiguration) -> CAConfiguration { response }
}

extension ConnectCAConfigurationSet {
  public var request: CARequest {
    var request = CARequest(.setConfiguration)
    request.config = configuration
    return request
  }

  public init(request: CARequest) throws(ServerError) {
    guard let configuration = request.config else { throw .invalid("Missing CA configuration") }
    self.init(configuration)
  }

  public func response(_ reply: Void) -> RPCEmpty { RPCEmpty() }
  public func reply(_ response: RPCEmpty) {}
}

extension ConnectCASign {
  public var request: CASignRequest {
    var request = CASignRequest()
    request.csr = signingRequest
    return request
  }

  public init(request: CASignRequest) { self.init(signingRequest: request.csr) }
  public func response(_ reply: IssuedCertificate) -> IssuedCertificate { reply }
  public func reply(_ response: IssuedCertificate) -> IssuedCertificate { response }
}
