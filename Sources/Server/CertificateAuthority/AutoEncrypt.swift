import Certificates
import Model
import NIOCore
import TransportSecurity

/// What an agent gets that asked for its first certificate (wire/rpc.md, section 2.4).
public struct AutoEncryptReply: Record {
  public var connectCARoots = IndexedCARoots()
  /// PEM; the authorities that the servers' own certificates are from.
  public var manualCARoots: [String] = []
  public var issuedCert = IssuedCertificate()
  /// Always empty here: the key of gossip has to be known for joining.
  public var gossipKey = ""
  /// Whether certificates of servers have to name one.
  public var verifyServerHostname = false

  public init() {}

  public static let schema = Schema<AutoEncryptReply>("structs.SignedResponse") {
    $0.field("ConnectCARoots", \.connectCARoots)
    $0.field("ManualCARoots", \.manualCARoots)
    $0.field("IssuedCert", \.issuedCert)
    $0.field("GossipKey", \.gossipKey)
    $0.field("VerifyServerHostname", \.verifyServerHostname)
  }
}

/// What a server tells agents that have no certificate yet (`auto_encrypt.allow_tls`).
public struct AutoEncryptSettings: Sendable {
  private let security: TransportSecurity

  public init(_ security: TransportSecurity) { self.security = security }

  /// The authorities of the servers' own certificates, in PEM.
  var manualAuthorities: [String] { security.manualAuthorities.map { SignedCertificate.pem(der: $0) } }
  var verifiesServerHostname: Bool { security.verifiesServerHostname(.internalRPC) }
}

extension RPCMethodTable {
  /// The methods for those without a certificate.
  mutating func registerForStrangers(_ settings: AutoEncryptSettings?) {
    registerAutoConfiguration()
    answer("AutoEncrypt.Sign") {
      [backend, server] (request: CASignRequest, loop, completion: @escaping RPCAnswer<AutoEncryptReply>) in
      guard let settings else {
        return completion(
          .failure(.invalid("AutoEncrypt.AllowTLS must be enabled in order to use this endpoint")))
      }
      guard request.datacenter == server.datacenter else {
        return completion(
          .failure(
            .invalid(
              "mismatched datacenter (client_dc='\(request.datacenter)' server_dc='\(server.datacenter)'); check client "
                + "has same datacenter set as servers")))
      }
      AutoEncryptCall(backend, settings, on: loop, completion).start(request)
    }
  }
}

/// A certificate for a new agent, and what it needs to verify others.
private struct AutoEncryptCall: Sendable {
  private let backend: ClusterBackend
  private let settings: AutoEncryptSettings
  private let loop: any EventLoop
  private let completion: @Sendable (Result<AutoEncryptReply, ServerError>) -> Void

  init(
    _ backend: ClusterBackend, _ settings: AutoEncryptSettings, on loop: any EventLoop,
    _ completion: @escaping @Sendable (Result<AutoEncryptReply, ServerError>) -> Void
  ) {
    self.backend = backend
    self.settings = settings
    self.loop = loop
    self.completion = completion
  }

  func start(_ request: CASignRequest) {
    do throws(ServerError) {
      // Other identities are for those that can show a certificate already.
      guard case .agent = try LeafRequest(pem: request.csr).identity.kind else {
        throw .invalid("SPIFFE ID in CSR must be an agent ID")
      }
    } catch {
      return completion(.failure(error))
    }
    backend.write(ConnectCASign(signingRequest: request.csr), datacenter: "", token: request.token, on: loop) {
      result in
      switch result {
      case .failure(let error): completion(.failure(error))
      case .success(let issued): addRoots(to: issued)
      }
    }
  }

  private func addRoots(to issued: IssuedCertificate) {
    backend.query(ConnectCARoots(), QueryOptions(), on: loop) { result in
      completion(
        result.map { answer in
          var reply = AutoEncryptReply()
          reply.issuedCert = issued
          reply.connectCARoots = IndexedCARoots(answer.value)
          reply.connectCARoots.meta = RPCQueryMeta(answer)
          reply.manualCARoots = settings.manualAuthorities
          reply.verifyServerHostname = settings.verifiesServerHostname
          return reply
        })
    }
  }
}
