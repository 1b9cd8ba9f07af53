import Authentication
import Model

/// What those present who log in: signed tokens and the selectors and names of binding rules that look at them.
struct TokenTarget: FuzzTarget {
  let name = "token"
  let tokens = [".", "eyJhbGciOiJub25lIn0", "eyJhbGciOiJSUzI1NiJ9", "e30", "=", "-", "_", "AQAB"]

  /// A key that nobody has the private half of, as far as this program knows.
  private static let key = """
    -----BEGIN PUBLIC KEY-----
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ9LDyJTuNIfNpj3517qD3yIZQB0w
    fxOSIuPcACwVukubJrl+gi5jZfdeQL13M0FvKbIhbqAUQJC3IvLNK1x2Cw==
    -----END PUBLIC KEY-----
    """

  private static func token(_ header: String, _ claims: String) -> [UInt8] {
    let parts = [header, claims].map { Base64URL.encode(Array($0.utf8)) }
    return Array("\(parts[0]).\(parts[1]).\(Base64URL.encode([UInt8](repeating: 7, count: 64)))".utf8)
  }

  var corpus: [[UInt8]] {
    [
      Self.token(#"{"alg":"ES256","kid":"a"}"#, #"{"iss":"i","aud":["a","b"],"exp":1795291200,"user":"ada"}"#),
      Self.token(#"{"alg":"none"}"#, #"{"nbf":1.5,"iat":-1,"groups":[1,true,"x"],"team":{"name":"core"}}"#),
      Self.token(#"{"alg":"HS256","crit":["b64"]}"#, #"{"exp":1e300}"#), Array("a.b.c".utf8),
    ]
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    var record = ACLAuthMethod()
    record.type = "jwt"
    record.config["JWTValidationPubKeys"] = [.string(Self.key)]
    record.config["ClaimMappings"] = ["user": "user", "/team/name": "team"]
    record.config["ListClaimMappings"] = ["groups": "groups"]
    guard let method = try? AuthMethod(record) else { throw BrokenPromise(what: "the settings are refused") }
    let text = String(decoding: input, as: UTF8.self)
    switch method.identify(text, ProviderMemory(), now: Timestamp(unixSeconds: 1_795_291_200)) {
    case .done: throw BrokenPromise(what: "a token was believed that nobody signed")
    case .failed(let error): return .disbelieved(error)
    case .ask: throw BrokenPromise(what: "a provider was asked although the keys are known")
    }
  }
}

/// What identity providers publish and answer: key sets, descriptions of themselves, reviews.
struct KeySetTarget: FuzzTarget {
  let name = "keyset"
  let tokens = [
    "\"keys\":[", "\"kty\":\"RSA\"", "\"kty\":\"EC\"", "\"kty\":\"OKP\"", "\"crv\":\"P-256\"", "\"crv\":\"Ed25519\"",
    "\"n\":\"", "\"e\":\"AQAB\"", "\"x\":\"", "\"y\":\"", "\"alg\":\"RS256\"", "\"use\":\"enc\"", "{", "}", "null",
  ]

  var corpus: [[UInt8]] {
    let number = Base64URL.encode([UInt8](repeating: 0xC3, count: 256))
    let half = Base64URL.encode([UInt8](repeating: 0x3C, count: 32))
    return [
      #"{"keys":[{"kty":"RSA","kid":"a","use":"sig","n":"\#(number)","e":"AQAB"}]}"#,
      #"{"keys":[{"kty":"EC","crv":"P-256","x":"\#(half)","y":"\#(half)"},{"kty":"OKP","crv":"Ed25519","x":"\#(half)"}]}"#,
    ].map { Array($0.utf8) }
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    let keys: KeySet
    do throws(AuthenticationError) { keys = try KeySet(json: input) } catch { return .refused(by: error) }
    guard keys.count <= KeySet.countLimit else { throw BrokenPromise(what: "a key set has \(keys.count) keys") }
    return .accepted(String(min(keys.count, 4)))
  }
}

/// The signed requests of a login with AWS. Whatever is in them, nothing is asked of anybody but AWS.
struct BearerTarget: FuzzTarget {
  let name = "bearer"
  let tokens = [
    "iam_http_request_method", "iam_request_url", "iam_request_body", "iam_request_headers", "POST",
    "aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8=", "aHR0cHM6Ly9ldmlsLmV4YW1wbGUv", "e30=",
    "QWN0aW9uPUdldENhbGxlcklkZW50aXR5JlZlcnNpb249MjAxMS0wNi0xNQ==", "\"", ":", "{", "}",
  ]

  private static func token(_ url: String, _ body: String, _ headers: String) -> [UInt8] {
    let parts = [url, body, headers].map { Base64.encode(Array($0.utf8)) }
    let text = """
      {"iam_http_request_method":"POST","iam_request_url":"\(parts[0])","iam_request_body":"\(parts[1])",\
      "iam_request_headers":"\(parts[2])"}
      """
    return Array(text.utf8)
  }

  var corpus: [[UInt8]] {
    let body = "Action=GetCallerIdentity&Version=2011-06-15"
    return [
      Self.token("https://sts.amazonaws.com/", body, #"{"Host":["sts.amazonaws.com"],"Authorization":["AWS4"]}"#),
      Self.token("https://sts.eu-west-1.amazonaws.com", body, "{}"),
      Self.token("https://sts.amazonaws.com@evil.example/", body, "{}"), Self.token("http://a/b", "Action=x", "[]"),
    ]
  }

  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome {
    var record = ACLAuthMethod()
    record.type = "aws-iam"
    record.config["BoundIAMPrincipalARNs"] = ["arn:aws:iam::123456789012:role/a"]
    guard let method = try? AuthMethod(record) else { throw BrokenPromise(what: "the settings are refused") }
    let text = String(decoding: input, as: UTF8.self)
    switch method.identify(text, ProviderMemory(), now: Timestamp(unixSeconds: 1_795_291_200)) {
    case .done: throw BrokenPromise(what: "somebody was believed although nobody was asked")
    case .failed(let error): return .disbelieved(error)
    case .ask(let request, _):
      let isAmazon = request.url.hasSuffix(".amazonaws.com/") || request.url.hasSuffix(".amazonaws.com.cn/")
      guard request.url.hasPrefix("https://sts"), isAmazon, !request.url.contains("@") else {
        throw BrokenPromise(what: "\(request.url) would be asked")
      }
      return .accepted("asks")
    }
  }
}
