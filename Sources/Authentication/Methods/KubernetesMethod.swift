import AccessControl
import Model

/// The type `kubernetes`: the bearer presents the token of a service account, which the API server of its cluster is asked to
/// review.
public struct KubernetesMethod: Sendable {
  /// Names the service of an account whose own name is another one.
  private static let serviceNameAnnotation = "consul.hashicorp.com/service-name"

  let host: String
  let trust: OutboundRequest.Trust
  private let reviewer: String

  public init(_ settings: DynamicMap) throws(AuthenticationError) {
    var reader = SettingsReader(settings)
    let host = reader.string("Host")
    let authority = reader.string("CACert")
    let reviewer = reader.string("ServiceAccountJWT")
    try reader.finish()
    if host.isEmpty { throw .setting("Config.Host is required") }
    if authority.isEmpty { throw .setting("Config.CACert is required") }
    guard AuthorityText.isValid(authority) else {
      throw .setting(
        "error parsing kubernetes ca cert: data does not contain any valid RSA or ECDSA certificates")
    }
    if reviewer.isEmpty { throw .setting("Config.ServiceAccountJWT is required") }
    _ = try SignedToken(reviewer, doing: "Config.ServiceAccountJWT is not a valid JWT")
    self.host = (host.contains("://") ? host : "https://" + host).droppingLastSlash
    trust = .authorities(authority)
    self.reviewer = reviewer
  }

  func identify(_ bearerToken: String) -> Progress<Identity> {
    .attempt { () throws(AuthenticationError) in
      _ = try SignedToken(bearerToken, doing: "failed to parse and validate JWT")
      return review(bearerToken).then { [self] account in
        serviceName(of: account).map { name in
          var attributes = ServiceAccountAttributes()
          attributes.account = account
          if let name { attributes.account.name = name }
          return .serviceAccount(attributes)
        }
      }
    }
  }

  private func request(_ method: OutboundRequest.Method, _ path: String) -> OutboundRequest {
    var request = OutboundRequest(method, host + path, trust: trust)
    request.headers = [("Authorization", "Bearer \(reviewer)"), ("Accept", "application/json")]
    return request
  }

  /// Asks the API server whose token it is.
  private func review(_ token: String) -> Progress<ServiceAccountAttributes.Names> {
    var request = request(.post, "/apis/authentication.k8s.io/v1/tokenreviews")
    request.headers.append(("Content-Type", "application/json"))
    let question: Dynamic = [
      "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": ["token": .string(token)],
    ]
    request.body = Array(question.json.utf8)
    return .asking(request) { (response) throws(AuthenticationError) in
      let answer = try Self.document(response)
      let status = answer["status"]
      if let problem = status?["error"]?.string, !problem.isEmpty { throw .provider("lookup failed: \(problem)") }
      guard status?["authenticated"]?.bool == true else {
        throw .provider("lookup failed: service account jwt not valid")
      }
      return .done(try Self.account(status?["user"]))
    }
  }

  /// `system:serviceaccount:NAMESPACE:NAME`
  private static func account(_ user: Dynamic?) throws(AuthenticationError) -> ServiceAccountAttributes.Names {
    let name = user?["username"]?.string ?? ""
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount", parts[2...].allSatisfy(isName) else {
      throw .provider("lookup failed: unexpected username format")
    }
    var account = ServiceAccountAttributes.Names()
    account.namespace = String(parts[2])
    account.name = String(parts[3])
    account.uid = user?["uid"]?.string ?? ""
    return account
  }

  /// What Kubernetes allows as a name, so that nothing else gets into a path.
  private static func isName(_ text: Substring) -> Bool {
    (1...253).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-")
          || byte == UInt8(ascii: ".")
      } && !text.allSatisfy { $0 == "." }
  }

  /// The service that the account's annotation names; nil without one.
  private func serviceName(of account: ServiceAccountAttributes.Names) -> Progress<String?> {
    .asking(request(.get, "/api/v1/namespaces/\(account.namespace)/serviceaccounts/\(account.name)")) {
      (response) throws(AuthenticationError) in
      let answer: Dynamic
      do throws(AuthenticationError) {
        answer = try Self.document(response)
      } catch {
        throw .provider("annotation lookup failed: \(error)")
      }
      let name = answer["metadata"]?["annotations"]?[Self.serviceNameAnnotation]?.string
      return .done(name.flatMap { $0.isEmpty ? nil : $0 })
    }
  }

  /// A successful answer's body; of another one the message.
  private static func document(_ response: OutboundResponse) throws(AuthenticationError) -> Dynamic {
    let document = try? Dynamic(json: response.body)
    guard response.isSuccess else { throw .provider(document?["message"]?.string ?? response.statusText) }
    guard let document else { throw .provider("the answer of the Kubernetes API is not JSON") }
    return document
  }
}

extension String {
  var droppingLastSlash: String { hasSuffix("/") ? String(dropLast()) : self }
}
