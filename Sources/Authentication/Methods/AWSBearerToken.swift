import Model

/// The bearer token of a login with AWS: requests that the client signed, in JSON. Only requests that ask who somebody is are
/// let through, and only to AWS or where the settings say.
struct AWSBearerToken {
  static let sizeLimit = 64 << 10
  /// A request about the role or user, packed into the headers of the first one.
  private static let entityPrefix = "x-consul-iam-getentity-"
  private static let serverIDHeader = "x-consul-iam-serverid"
  private static let usualHeaders: Set<String> = [
    "authorization", "content-length", "content-type", "host", "user-agent", "x-amz-date", "x-amz-security-token",
    "x-amz-user-agent", "accept", "accept-encoding", "amz-sdk-request", "amz-sdk-invocation-id",
    "x-amz-content-sha256", "x-amz-algorithm", "x-amz-credential", "x-amz-signature", "x-amz-signedheaders",
  ]

  let identityRequest: OutboundRequest
  let entityRequest: OutboundRequest?

  /// - Throws: `.claim` with what is wrong.
  init(_ text: String, _ method: AWSMethod) throws(AuthenticationError) {
    guard text.utf8.count <= Self.sizeLimit else { throw .tooLarge(what: "token", limit: Self.sizeLimit) }
    let document: Dynamic
    do throws(JSONError) {
      document = try Dynamic(json: Array(text.utf8))
    } catch {
      throw .claim("invalid token: \(error)")
    }
    guard document["iam_http_request_method"]?.string == "POST" else {
      throw .claim("iam_http_request_method must be POST")
    }
    let signed = SignedRequest(
      url: try Self.text(document, "iam_request_url"), body: try Self.text(document, "iam_request_body"),
      headers: try Self.headers(try Self.text(document, "iam_request_headers")))
    guard Self.isQuestion(signed.body, actions: ["GetCallerIdentity"], version: "2011-06-15") else {
      throw .claim("iam_request_body is not a sts:GetCallerIdentity request")
    }
    if !method.serverID.isEmpty {
      guard signed.header(Self.serverIDHeader) == method.serverID else {
        throw .claim(
          "expected \"\(method.serverID)\" but got \"\(signed.header(Self.serverIDHeader) ?? "")\" in "
            + "X-Consul-IAM-ServerID")
      }
      guard signed.signs(Self.serverIDHeader) else { throw .claim("missing X-Consul-IAM-ServerID in signed headers") }
    }
    for (name, _) in signed.headers {
      guard
        Self.usualHeaders.contains(name) || name == Self.serverIDHeader || name.hasPrefix(Self.entityPrefix)
          || method.allowedHeaders.contains(name)
      else { throw .claim("invalid request header: \(name)") }
    }
    identityRequest = try signed.outbound(endpoint: method.stsEndpoint, service: "sts")
    entityRequest = try Self.entity(signed, method)
  }

  /// The request about the role or user; nil without one.
  private static func entity(
    _ outer: SignedRequest, _ method: AWSMethod
  ) throws(AuthenticationError) -> OutboundRequest? {
    guard method.asksForDetails, let url = outer.header(entityPrefix + "url") else { return nil }
    for part in ["url", "body", "headers", "method"] where !outer.signs(entityPrefix + part) {
      throw .claim("missing X-Consul-IAM-GetEntity-\(part) in signed headers")
    }
    let inner = SignedRequest(
      url: url, body: outer.header(entityPrefix + "body") ?? "",
      headers: try headers(outer.header(entityPrefix + "headers") ?? ""))
    guard isQuestion(inner.body, actions: ["GetRole", "GetUser"], version: "2010-05-08") else {
      throw .claim("the request about the entity is neither iam:GetRole nor iam:GetUser")
    }
    for (name, _) in inner.headers where !usualHeaders.contains(name) {
      throw .claim("invalid request header: \(name)")
    }
    return try inner.outbound(endpoint: method.iamEndpoint, service: "iam")
  }

  private static func isQuestion(_ body: String, actions: [String], version: String) -> Bool {
    let pairs = FormEncoding.decode(body)
    let names = pairs.map(\.name)
    guard Set(names).count == names.count else { return false }
    let form = Dictionary(pairs.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    return form["Version"] == version && actions.contains(form["Action"] ?? "")
      && names.allSatisfy { ["Action", "Version", "RoleName", "UserName"].contains($0) }
  }

  private static func text(_ document: Dynamic, _ name: String) throws(AuthenticationError) -> String {
    guard let encoded = document[name]?.string, !encoded.isEmpty else { throw .claim("missing \(name)") }
    guard case .success(let bytes) = Base64.decode(encoded), let text = String(validating: bytes, as: UTF8.self) else {
      throw .claim("failed to base64 decode \(name)")
    }
    return text
  }

  /// `{"Host": ["sts.amazonaws.com"], …}`; names in small letters.
  private static func headers(_ json: String) throws(AuthenticationError) -> [(name: String, value: String)] {
    guard let members = (try? Dynamic(json: Array(json.utf8)))?.object else { throw .claim("invalid request headers") }
    var headers: [(name: String, value: String)] = []
    for (name, value) in members {
      for element in value.array ?? [value] {
        guard let text = element.string, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }),
          !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") })
        else { throw .claim("invalid request headers") }
        headers.append((name.lowercased(), text))
      }
    }
    return headers
  }
}

/// A request that a client signed (AWS Signature Version 4).
private struct SignedRequest {
  var url: String
  var body: String
  var headers: [(name: String, value: String)]

  func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// Whether the client's signature covers a header.
  func signs(_ header: String) -> Bool {
    guard let authorization = self.header("authorization"), let start = authorization.firstRange(of: "SignedHeaders=")
    else { return false }
    let names = authorization[start.upperBound...].prefix { $0 != "," && $0 != " " }
    return names.split(separator: ";").contains { $0 == header }
  }

  /// - Parameter endpoint: where to send it instead of where it says; "" for AWS itself.
  func outbound(endpoint: String, service: String) throws(AuthenticationError) -> OutboundRequest {
    guard let rest = url.hasPrefix("https://") ? url.dropFirst("https://".count) : nil else {
      throw .claim("invalid url: it has to begin with https://")
    }
    let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }.lowercased()
    let path = rest.dropFirst(host.count)
    guard path.isEmpty || path == "/" else { throw .claim("invalid url: it has a path") }
    if endpoint.isEmpty, !Self.isAmazon(host, service) { throw .claim("invalid url: \(host) does not belong to AWS") }
    var request = OutboundRequest(.post, endpoint.isEmpty ? "https://\(host)/" : endpoint)
    // The signature covers the host that the client meant, wherever the request goes.
    request.headers = headers.filter { !["host", "content-length", "accept-encoding"].contains($0.name) }
    request.headers.append(("Host", header("host") ?? host))
    request.body = Array(body.utf8)
    return request
  }

  /// `sts.amazonaws.com`, `sts.eu-west-1.amazonaws.com`, `iam.cn-north-1.amazonaws.com.cn`, …
  private static func isAmazon(_ host: String, _ service: String) -> Bool {
    for suffix in [".amazonaws.com", ".amazonaws.com.cn"] where host.hasSuffix(suffix) {
      let labels = host.dropLast(suffix.count).split(separator: ".", omittingEmptySubsequences: false)
      guard (1...3).contains(labels.count), let first = labels.first else { return false }
      return [service, service + "-fips", service + ".us-gov"].contains(String(first))
        && labels.allSatisfy { label in
          !label.isEmpty
            && label.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        }
    }
    return false
  }
}
