import Crypto
import Model
import _CryptoExtras

@testable import Authentication

/// An issuer of tokens with a key of every kind.
struct TestIssuer {
  static let shared = TestIssuer()

  let rsa: _RSA.Signing.PrivateKey
  let p256 = P256.Signing.PrivateKey()
  let p384 = P384.Signing.PrivateKey()
  let p521 = P521.Signing.PrivateKey()
  let ed25519 = Curve25519.Signing.PrivateKey()

  /// 2026-11-21T20:00:00Z
  static let now = Timestamp(unixSeconds: 1_795_291_200)

  private init() {
    guard let rsa = try? _RSA.Signing.PrivateKey(keySize: .bits2048) else { preconditionFailure("no RSA key") }
    self.rsa = rsa
  }

  var rsaPEM: String { rsa.publicKey.pemRepresentation }

  /// The key set with all keys.
  var keySet: [UInt8] {
    func point(_ raw: [UInt8], _ curve: String, _ id: String) -> Dynamic {
      let half = raw.count / 2
      return [
        "kty": "EC", "crv": .string(curve), "kid": .string(id), "x": .string(Base64URL.encode(raw[..<half])),
        "y": .string(Base64URL.encode(raw[half...])),
      ]
    }
    let (n, e) =
      (try? rsa.publicKey.getKeyPrimitives()).map { (Array($0.modulus), Array($0.publicExponent)) } ?? ([], [])
    let keys: [Dynamic] = [
      ["kty": "RSA", "kid": "rsa", "use": "sig", "n": .string(Base64URL.encode(n)), "e": .string(Base64URL.encode(e))],
      point(Array(p256.publicKey.rawRepresentation), "P-256", "p256"),
      point(Array(p384.publicKey.rawRepresentation), "P-384", "p384"),
      point(Array(p521.publicKey.rawRepresentation), "P-521", "p521"),
      [
        "kty": "OKP", "crv": "Ed25519", "kid": "ed25519",
        "x": .string(Base64URL.encode(Array(ed25519.publicKey.rawRepresentation))),
      ],
      ["kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"], ["kty": "oct", "kid": "shared", "k": "c2VjcmV0"],
    ]
    let document: Dynamic = ["keys": .array(keys)]
    return Array(document.json.utf8)
  }

  /// A signed token.
  ///
  /// - Parameters:
  ///   - algorithm: as the header names it; also decides about the key.
  ///   - keyID: nil for a token that does not name its key.
  func token(_ claims: Dynamic, algorithm: String = "RS256", keyID: String? = nil) throws -> String {
    var header = DynamicObject([("alg", .string(algorithm)), ("typ", "JWT")])
    if let keyID { header.append("kid", .string(keyID)) }
    let text =
      Base64URL.encode(Array(Dynamic.object(header).json.utf8)) + "." + Base64URL.encode(Array(claims.json.utf8))
    return text + "." + Base64URL.encode(try signature(of: Array(text.utf8), algorithm))
  }

  private func signature(of message: [UInt8], _ algorithm: String) throws -> [UInt8] {
    switch algorithm {
    case "RS256":
      Array(try rsa.signature(for: SHA256.hash(data: message), padding: .insecurePKCS1v1_5).rawRepresentation)
    case "RS384":
      Array(try rsa.signature(for: SHA384.hash(data: message), padding: .insecurePKCS1v1_5).rawRepresentation)
    case "RS512":
      Array(try rsa.signature(for: SHA512.hash(data: message), padding: .insecurePKCS1v1_5).rawRepresentation)
    case "PS256": Array(try rsa.signature(for: SHA256.hash(data: message), padding: .PSS).rawRepresentation)
    case "PS384": Array(try rsa.signature(for: SHA384.hash(data: message), padding: .PSS).rawRepresentation)
    case "PS512": Array(try rsa.signature(for: SHA512.hash(data: message), padding: .PSS).rawRepresentation)
    case "ES256": Array(try p256.signature(for: SHA256.hash(data: message)).rawRepresentation)
    case "ES384": Array(try p384.signature(for: SHA384.hash(data: message)).rawRepresentation)
    case "ES512": Array(try p521.signature(for: SHA512.hash(data: message)).rawRepresentation)
    case "EdDSA": Array(try ed25519.signature(for: message))
    // The attack on verifiers that let the token choose: the public key serves as the shared secret.
    case "HS256":
      Array(HMAC<SHA256>.authenticationCode(for: message, using: SymmetricKey(data: Array(rsaPEM.utf8))))
    default: []
    }
  }

  /// Claims of somebody who may log in now.
  static func claims(_ more: DynamicObject = DynamicObject()) -> Dynamic {
    let now = Self.now.unixSeconds
    var claims = DynamicObject([
      ("iss", "issuer"), ("aud", "consul"), ("iat", .int(now)), ("exp", .int(now + 600)), ("user", "Ada"),
      ("groups", ["dev", "ops"]), ("team", ["name": "core"]),
    ])
    for (key, value) in more { claims[key] = value }
    return .object(claims)
  }
}

/// Answers requests from a table, and remembers them.
struct Script {
  var answers: [(method: OutboundRequest.Method, url: String, response: Result<OutboundResponse, OutboundFailure>)] = []

  mutating func answer(_ method: OutboundRequest.Method, _ url: String, _ json: String, status: Int = 200) {
    answers.append((method, url, .success(OutboundResponse(status: status, body: Array(json.utf8)))))
  }

  /// Carries a piece of work out.
  ///
  /// - Returns: what it comes to, and what was asked for on the way.
  func run<Value>(_ progress: Progress<Value>) -> (Result<Value, AuthenticationError>, [OutboundRequest]) {
    var progress = progress
    var asked: [OutboundRequest] = []
    while true {
      switch progress {
      case .done(let value): return (.success(value), asked)
      case .failed(let error): return (.failure(error), asked)
      case .ask(let request, let goOn):
        asked.append(request)
        let known = answers.first { $0.method == request.method && request.url == $0.url }
        progress = goOn(known?.response ?? .failure(OutboundFailure("connection refused")))
      }
    }
  }
}

func settings(_ members: (key: String, value: Dynamic)...) -> DynamicMap { DynamicMap(DynamicObject(members)) }
