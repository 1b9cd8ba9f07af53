import AccessControl
import Certificates
import Model

/// What somebody wants the authority to certify, read and checked against the rules. Pure.
struct LeafRequest: Sendable {
  let identity: SPIFFEIdentity
  private let request: SigningRequest

  /// - Throws: `ServerError.invalid` for what is no request for one identity of the mesh.
  init(pem: String) throws(ServerError) {
    do throws(CertificatesError) {
      request = try SigningRequest(pem: pem)
    } catch {
      throw .invalid("\(error)")
    }
    guard request.names.uris.count == 1 else {
      throw .invalid("CSR SAN contains an invalid number of URIs: \(request.names.uris.count)")
    }
    guard let identity = SPIFFEIdentity(uri: request.names.uris[0]) else {
      throw .invalid("SPIFFE ID is not in the expected format: \(request.names.uris[0])")
    }
    self.identity = identity
  }

  /// What the one who asks has to be allowed.
  var permission: Permission {
    get throws(ServerError) {
      switch identity.kind {
      case .service(_, _, let name): .serviceWrite(name)
      case .agent(_, let node): .nodeWrite(node)
      case .meshGateway: .meshWrite
      case .server: .aclWrite
      case .authority: throw .invalid("SPIFFE ID in CSR must be a service, mesh-gateway, or agent ID")
      }
    }
  }

  /// - Parameter trustDomain: of the cluster; a new agent cannot know it yet.
  func check(trustDomain: String, datacenter: String) throws(ServerError) {
    let isUnknown = identity.trustDomain == SPIFFEIdentity.unknownTrustDomain
    var allowsUnknown = false
    let wanted: String
    switch identity.kind {
    case .service(_, let place, _), .meshGateway(let place), .server(let place): wanted = place
    case .agent(let place, _):
      wanted = place
      allowsUnknown = true
    case .authority: throw .invalid("SPIFFE ID in CSR must be a service, mesh-gateway, or agent ID")
    }
    guard identity.trustDomain == trustDomain || (isUnknown && allowsUnknown) else {
      throw .invalid("SPIFFE ID in CSR from a different trust domain: \(identity.trustDomain), we are \(trustDomain)")
    }
    guard wanted == datacenter else {
      throw .invalid("SPIFFE ID in CSR from a different datacenter: \(wanted), we are \(datacenter)")
    }
    if case .server = identity.kind { return }
    // Whoever has that name may take part in consensus.
    for name in request.names.dnsNames where name.lowercased().hasPrefix("server.") {
      throw .invalid("CSR asks for the name of a server: \(name)")
    }
  }

  /// The certificate, in the name of the cluster's trust domain.
  func sign(
    _ authority: CertificateAuthority, trustDomain: String, lifetime: GoDuration, serial: UInt64, now: Int64
  ) throws(CertificatesError) -> SignedCertificate {
    let from = now &- RootMaker.clockSkew
    var template = CertificateTemplate(
      .leaf, subject: SubjectName([]), validity: try Validity(notBefore: from, notAfter: from &+ lifetime.wholeSeconds),
      usages: [.digitalSignature, .keyEncipherment, .dataEncipherment, .keyAgreement])
    template.names.uris = [SPIFFEIdentity(trustDomain: trustDomain, identity.kind).uri]
    switch identity.kind {
    case .agent, .server:
      template.names.dnsNames = request.names.dnsNames
      template.names.addresses = request.names.addresses
    case .service, .meshGateway, .authority: break
    }
    template.extendedUsages = [.clientAuthentication, .serverAuthentication]
    template.keyIdentifierForm = .full
    template.serial = CertificateSerial(UInt128(serial))
    return try authority.sign(template, for: request.publicKey)
  }

  /// What the one who asked is told, without what the log adds.
  func answer(_ certificate: SignedCertificate, chain: [String], trustDomain: String) -> IssuedCertificate {
    var issued = IssuedCertificate()
    issued.serialNumber = certificate.serial?.hexadecimalPairs ?? ""
    issued.certPEM = certificate.pem + chain.joined()
    let uri = SPIFFEIdentity(trustDomain: trustDomain, identity.kind).uri
    switch identity.kind {
    case .service(_, _, let name): (issued.service, issued.serviceURI) = (name, uri)
    case .agent(_, let node): (issued.agent, issued.agentURI) = (node, uri)
    case .server: issued.serverURI = uri
    case .meshGateway: (issued.kind, issued.kindURI) = (ServiceKind.meshGateway, uri)
    case .authority: break
    }
    issued.validAfter = Timestamp(unixSeconds: certificate.notBefore)
    issued.validBefore = Timestamp(unixSeconds: certificate.notAfter)
    return issued
  }
}
