import AccessControl
import Model
import Server

/// `/v1/connect/ca/` and `/v1/agent/connect/ca/`: the cluster's certificate authority, and the certificates of services.
extension Endpoints {
  /// Reading needs the right to write: the configuration may hold credentials of a provider.
  private static let write = Route.Authorisation.requires { _, _ in .operatorWrite }
  private static let leaf = Route.Authorisation.requires { _, request in .serviceWrite(request.suffix) }

  static let certificateAuthority: [Endpoint] = [
    Endpoint("/v1/connect/ca/roots", [.metaOnFailure], Route(.get, .open, AuthorityEndpoints.roots)),
    Endpoint(
      "/v1/connect/ca/configuration", [], Route(.get, write, AuthorityEndpoints.configuration),
      Route(.put, write, AuthorityEndpoints.configure)),
    Endpoint("/v1/agent/connect/ca/roots", [], Route(.get, .open, AuthorityEndpoints.agentRoots)),
    Endpoint("/v1/agent/connect/ca/leaf/", [], Route(.get, leaf, AuthorityEndpoints.leaf)),
  ]
}

enum AuthorityEndpoints {
  static func roots(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let asPEM = request.query["pem"].flatMap { GoBool($0) }?.isTrue ?? false
    exchange.read(ConnectCARoots(), options) { answer in
      guard asPEM else {
        return exchange.json(exchange.head(answer, options)) { answer.value.encodeJSON(&$0) }
      }
      let text = answer.value.certificates.joined()
      exchange.text(ResponseHead(.ok, .other("application/pem-certificate-chain")), text)
    }
  }

  /// The same from the agent's memory, which follows the servers.
  static func agentRoots(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var options = try request.readOptions(exchange)
    if options.cache == nil { options.cache = CacheFreshness() }
    exchange.readCached(ConnectCARoots(), options) { [options] answer in
      exchange.json(exchange.head(meta: exchange.meta(answer, options))) { answer.value.encodeJSON(&$0) }
    }
  }

  static func configuration(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    exchange.read(ConnectCAConfigurationGet(), options) { answer in
      exchange.json { answer.value.encodeJSON(&$0) }
    }
  }

  static func configure(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let configuration = try request.decode(CAConfiguration.self, DecodingContext(.api))
    exchange.write(ConnectCAConfigurationSet(configuration), datacenter: request.datacenter) { exchange.empty() }
  }

  static func leaf(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    let service = request.suffix
    if service.isEmpty { throw .server("URI must be either service, agent, server, or kind") }
    let call = api.leaves.certificate(
      for: service, token: exchange.token, minIndex: options.minIndex, maxTime: options.maxTime, on: exchange.loop
    ) { result in
      switch result {
      case .failure(let error): exchange.fail(HTTPError(error))
      case .success(let answer):
        var head = ResponseHead()
        head.headers = [("X-Cache", "MISS"), ("X-Consul-Index", String(answer.index))]
        exchange.json(head) { answer.value.encodeJSON(&$0) }
      }
    }
    exchange.follow(call)
  }
}

extension CARoots {
  func encodeJSON(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("ActiveRootID")
    writer.string(activeID)
    writer.member("TrustDomain")
    writer.string(trustDomain)
    writer.member("Roots")
    writer.array(roots) { $1.encodeJSON(&$0) }
    writer.endObject()
  }
}
