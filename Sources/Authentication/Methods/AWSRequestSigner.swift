import Crypto
import Model

/// Credentials of AWS, and the requests that are signed with them (AWS Signature Version 4): what a client presents when it
/// logs in with its role.
public struct AWSRequestSigner: Sendable {
  public var accessKeyID: String
  public var secretAccessKey: Secret
  /// Of temporary credentials; empty for those of a user.
  public var sessionToken: Secret
  public var region: String

  public init(accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret, region: String) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.region = region
  }

  /// A signed request.
  struct Signed: Sendable {
    var url: String
    var body: String
    var headers: [(name: String, value: String)]

    var headersJSON: String {
      Dynamic.object(DynamicObject(headers.map { (key: $0.name, value: .array([.string($0.value)])) })).json
    }
  }

  /// Signs a POST of a form.
  ///
  /// - Parameter endpoint: `https://host/`
  func sign(
    _ body: String, to endpoint: String, service: String, region: String, more: [(name: String, value: String)],
    now: Timestamp
  ) -> Signed {
    let host = String(
      (endpoint.firstRange(of: "://").map { endpoint[$0.upperBound...] } ?? endpoint[...])
        .prefix { $0 != "/" })
    // 2026-11-21T19:30:00Z → 20261121T193000Z
    let digits = Timestamp(seconds: now.seconds).description.filter { $0 != "-" && $0 != ":" }
    let day = String(digits.prefix(8))
    var headers =
      [
        ("Content-Type", "application/x-www-form-urlencoded"), ("Host", host), ("X-Amz-Date", digits),
      ] + more
    if !sessionToken.isEmpty { headers.append(("X-Amz-Security-Token", sessionToken.revealed)) }
    let sorted = headers.map { (name: $0.0.lowercased(), value: $0.1) }.sorted { bytewiseLess($0.name, $1.name) }
    let names = sorted.map(\.name).joined(separator: ";")
    let canonical =
      "POST\n/\n\n" + sorted.map { "\($0.name):\($0.value.trimmedBlanks)\n" }.joined()
      + "\n\(names)\n\(Self.hexadecimal(SHA256.hash(data: Array(body.utf8))))"
    let scope = "\(day)/\(region)/\(service)/aws4_request"
    let text =
      "AWS4-HMAC-SHA256\n\(digits)\n\(scope)\n\(Self.hexadecimal(SHA256.hash(data: Array(canonical.utf8))))"
    var key = SymmetricKey(data: Array("AWS4\(secretAccessKey.revealed)".utf8))
    for part in [day, region, service, "aws4_request"] {
      key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
    }
    let signature = Self.hexadecimal(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    headers.append(
      (
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=\(accessKeyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
      ))
    return Signed(
      url: "https://\(host)/", body: body, headers: headers.map { (name: $0.0, value: $0.1) })
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  // MARK: what a login presents

  public struct Options: Sendable {
    /// "" for those of AWS in the region.
    public var stsEndpoint = ""
    public var iamEndpoint = ""
    /// What the auth method demands in `X-Consul-IAM-ServerID`; "" for nothing.
    public var serverID = ""
    /// Whether a request about the role or user is put in, for methods that look at its path and tags.
    public var includesEntity = false

    public init() {}
  }

  /// Makes a bearer token. With `includesEntity` AWS is asked first who the credentials belong to.
  public func bearerToken(_ options: Options, now: Timestamp) -> Progress<Secret> {
    let endpoint = options.stsEndpoint.isEmpty ? "https://sts.\(region).amazonaws.com/" : options.stsEndpoint
    guard options.includesEntity else { return .done(token(endpoint, options, entity: [], now: now)) }
    let question = identityQuestion(endpoint, more: [], now: now)
    var request = OutboundRequest(.post, endpoint)
    request.headers = question.headers
    request.body = Array(question.body.utf8)
    return .asking(request) { (response) throws(AuthenticationError) in
      guard response.status == 200 else {
        throw .provider("sts:GetCallerIdentity was refused: \(response.statusText)")
      }
      let caller = try AWSCaller(xml: response.body)
      return .done(token(endpoint, options, entity: entityHeaders(caller.name, options, now: now), now: now))
    }
  }

  private func identityQuestion(_ endpoint: String, more: [(name: String, value: String)], now: Timestamp) -> Signed {
    sign(
      "Action=GetCallerIdentity&Version=2011-06-15", to: endpoint, service: "sts", region: region, more: more, now: now)
  }

  /// A signed request about the role or user, packed into headers.
  private func entityHeaders(
    _ name: AWSResourceName, _ options: Options, now: Timestamp
  ) -> [(name: String, value: String)] {
    let isUser = name.kind == "user"
    let form: [(name: String, value: String)] = [
      ("Action", isUser ? "GetUser" : "GetRole"), (isUser ? "UserName" : "RoleName", name.name),
      ("Version", "2010-05-08"),
    ]
    let endpoint = options.iamEndpoint.isEmpty ? "https://iam.amazonaws.com/" : options.iamEndpoint
    // IAM has one place for all regions.
    let signed = sign(
      FormEncoding.encode(form), to: endpoint, service: "iam", region: "us-east-1", more: [], now: now)
    return [
      ("X-Consul-IAM-GetEntity-Method", "POST"), ("X-Consul-IAM-GetEntity-URL", signed.url),
      ("X-Consul-IAM-GetEntity-Headers", signed.headersJSON), ("X-Consul-IAM-GetEntity-Body", signed.body),
    ]
  }

  private func token(
    _ endpoint: String, _ options: Options, entity: [(name: String, value: String)], now: Timestamp
  ) -> Secret {
    var more = entity
    if !options.serverID.isEmpty { more.append(("X-Consul-IAM-ServerID", options.serverID)) }
    let signed = identityQuestion(endpoint, more: more, now: now)
    let token: Dynamic = [
      "iam_http_request_method": "POST", "iam_request_url": .string(Base64.encode(Array(signed.url.utf8))),
      "iam_request_headers": .string(Base64.encode(Array(signed.headersJSON.utf8))),
      "iam_request_body": .string(Base64.encode(Array(signed.body.utf8))),
    ]
    return Secret(token.json)
  }
}

extension String {
  fileprivate var trimmedBlanks: Substring {
    let start = firstIndex { $0 != " " } ?? endIndex
    return self[start...].lastIndex { $0 != " " }.map { self[start...$0] } ?? ""
  }
}
