import Authentication
import Certificates
import Model
import NIOCore
import State
import TransportSecurity

/// What a server has for agents that are introduced to it (`auto_config.authorization`).
public struct AutoConfigService: Sendable {
  let authorizer: IntroductionAuthorizer
  let providers: any ProviderTransport
  /// The settings of every agent: keys of gossip may have changed since the last.
  let settings: @Sendable () -> AutoConfigSettings
  private let security: TransportSecurity

  /// - Parameter settings: what agents are to start with, without names and tokens.
  public init(
    authorizer: IntroductionAuthorizer, providers: any ProviderTransport, security: TransportSecurity,
    settings: @escaping @Sendable () -> AutoConfigSettings
  ) {
    self.authorizer = authorizer
    self.providers = providers
    self.security = security
    self.settings = settings
  }

  /// PEM; the authorities of the servers' own certificates.
  var manualAuthorities: [String] { security.manualAuthorities.map { SignedCertificate.pem(der: $0) } }
}

/// Gives a new agent its settings, a token and a certificate. The leader does it: the token is logged.
struct InitialConfiguration: WriteRequest {
  static let method = "AutoConfig.InitialConfiguration"
  let wanted: AutoConfigRequest

  init(_ wanted: AutoConfigRequest) { self.wanted = wanted }

  var request: AutoConfigCall { AutoConfigCall(wanted) }
  init(request: AutoConfigCall) { wanted = request.message }
  func response(_ reply: AutoConfigResponse) -> AutoConfigAnswer { AutoConfigAnswer(reply) }
  func reply(_ response: AutoConfigAnswer) -> AutoConfigResponse { response.message }

  func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<AutoConfigResponse> {
    guard let service = context.autoConfiguration else { throw .invalid("Auto Config is disabled") }
    guard wanted.datacenter == context.datacenter else {
      throw .invalid(
        "invalid datacenter \(wanted.datacenter.goQuoted) - agent auto configuration cannot target a remote datacenter")
    }
    let signing = try signingRequest(context)
    let agent = IntroductionAuthorizer.Wanted(
      node: wanted.node, segment: wanted.segment, partition: wanted.partition)
    let progress = service.authorizer.authorize(wanted.jwt, agent, now: context.now)
    return try progress.write(on: service.providers) { (_) throws(ServerError) in
      guard let (authority, request) = signing else { return try configure(service, context, certificate: nil) }
      return .later { completion in
        authority.sign(request) { result in
          completion(
            result.flatMap { certificate in
              Result { () throws(ServerError) in try configure(service, context, certificate: certificate) }
            })
        }
      }
    }
  }

  /// What is to be signed, and by whom; nil for an agent that does not want a certificate.
  private func signingRequest(_ context: WriteContext) throws(ServerError) -> (AuthorityDuties, LeafRequest)? {
    if wanted.csr.isEmpty { return nil }
    let authority = try context.requireAuthority()
    let request = try LeafRequest(pem: wanted.csr)
    guard case .agent(_, let node) = request.identity.kind else {
      throw .invalid("SPIFFE ID in CSR must be an agent ID")
    }
    guard node == wanted.node else {
      throw .invalid(
        "Spiffe ID agent name (\(node)) of the certificate signing request is not for the correct node (\(wanted.node))"
      )
    }
    return (authority, request)
  }

  /// The last step: a token, where there is access control, and all of it together.
  private func configure(
    _ service: AutoConfigService, _ context: WriteContext, certificate: IssuedCertificate?
  ) throws(ServerError) -> PreparedWrite<AutoConfigResponse> {
    var context = context
    context.state = context.current()
    context.now = WallClock.now()
    var response = AutoConfigResponse()
    response.config = service.settings()
    response.config.datacenter = context.datacenter
    response.config.nodeName = wanted.node
    response.config.segmentName = wanted.segment
    response.config.partition = wanted.partition
    response.certificate = certificate
    response.caRoots = AutoConfigRoots(ConnectCARoots().evaluate(context.state).value)
    response.extraCACertificates = service.manualAuthorities
    guard response.config.acl?.enabled == true else { return .immediate(response) }
    var token = ACLToken()
    token.description = "Auto Config Token for Node \(wanted.node.goQuoted)"
    token.local = true
    var identity = ACLNodeIdentity()
    identity.nodeName = wanted.node
    identity.datacenter = context.datacenter
    token.nodeIdentities = [identity]
    try TokenSet.begin(&token, context)
    try TokenSet.complete(&token, context.state)
    guard case .command(let command, let reply) = TokenSet.command(token, context) else { return .immediate(response) }
    return .command(command) { [response] (result) throws(ServerError) in
      var response = response
      let stored = try reply(result)
      var tokens = response.config.acl?.tokens ?? AutoConfigSettings.Tokens()
      tokens.agent = stored.secretID.revealed
      response.config.acl?.tokens = tokens
      return response
    }
  }
}

extension RPCMethodTable {
  /// Open to agents with and without a certificate: the introduction decides.
  mutating func registerAutoConfiguration() {
    answer(InitialConfiguration.method) {
      [backend, server] (call: AutoConfigCall, loop, completion: @escaping RPCAnswer<AutoConfigAnswer>) in
      guard call.message.datacenter == server.datacenter else {
        return completion(
          .failure(
            .invalid(
              "invalid datacenter \(call.message.datacenter.goQuoted) - agent auto configuration cannot target a remote "
                + "datacenter")))
      }
      backend.write(InitialConfiguration(call.message), datacenter: "", token: call.token, on: loop) { result in
        completion(result.map { AutoConfigAnswer($0) })
      }
    }
  }
}
