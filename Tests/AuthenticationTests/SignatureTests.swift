import Model
import Testing

@testable import Authentication

@Suite struct SignatureTests {
  private let issuer = TestIssuer.shared

  private func verifies(_ text: String, _ keys: KeySet) throws -> Bool {
    keys.verifies(try SignedToken(text, doing: "test"))
  }

  @Test(arguments: SignatureAlgorithm.allCases)
  func `A signature of every algorithm is recognised, and one of another key or content is not`(
    _ algorithm: SignatureAlgorithm
  ) throws {
    let keys = try KeySet(json: issuer.keySet)
    let token = try issuer.token(TestIssuer.claims(), algorithm: algorithm.rawValue)
    #expect(try verifies(token, keys))
    let other = try issuer.token(["sub": "somebody else"], algorithm: algorithm.rawValue)
    let mixed = token.split(separator: ".")[..<2].joined(separator: ".") + "." + other.split(separator: ".")[2]
    #expect(try !verifies(mixed, keys))
    #expect(try !verifies(token, KeySet([])))
  }

  @Test func `Keys that cannot sign tokens are left out of a set`() throws {
    #expect(try KeySet(json: issuer.keySet).count == 5)
  }

  @Test(arguments: ["none", "None", "HS256", "HS512", "", "RS257"])
  func `A token cannot choose to be unsigned or signed with a shared secret`(_ algorithm: String) throws {
    let keys = KeySet([try #require(VerificationKey(pem: issuer.rsaPEM))])
    #expect(try !verifies(try issuer.token(TestIssuer.claims(), algorithm: algorithm), keys))
    let signed = try issuer.token(TestIssuer.claims())
    let unsigned = signed.split(separator: ".")[..<2].joined(separator: ".") + "."
    #expect(try !verifies(unsigned, keys))
  }

  @Test func `A key is used for its own algorithms only`() throws {
    let keys = KeySet([.p256(issuer.p256.publicKey)])
    #expect(try verifies(try issuer.token(TestIssuer.claims(), algorithm: "ES256"), keys))
    for algorithm in ["ES384", "RS256", "EdDSA"] {
      #expect(try !verifies(try issuer.token(TestIssuer.claims(), algorithm: algorithm), keys))
    }
  }

  @Test func `A token that names its key is not held against others`() throws {
    let keys = try KeySet(json: issuer.keySet)
    #expect(try verifies(try issuer.token(TestIssuer.claims(), keyID: "rsa"), keys))
    #expect(try !verifies(try issuer.token(TestIssuer.claims(), keyID: "p256"), keys))
    #expect(try !verifies(try issuer.token(TestIssuer.claims(), keyID: "unknown"), keys))
  }

  @Test func `Keys in PEM are read whatever their kind`() {
    for pem in [
      issuer.rsaPEM, issuer.p256.publicKey.pemRepresentation, issuer.p384.publicKey.pemRepresentation,
      issuer.p521.publicKey.pemRepresentation,
    ] {
      #expect(VerificationKey(pem: pem) != nil)
    }
    for text in [
      "", "junk", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", issuer.p256.pemRepresentation,
    ] {
      #expect(VerificationKey(pem: text) == nil)
    }
  }

  @Test(arguments: [
    ("", "compact JWS format must have three parts"), ("a.b", "compact JWS format must have three parts"),
    ("a.b.c.d", "compact JWS format must have three parts"), ("!.e30.", "header is not base64"),
    ("e30.e30.", "header names no algorithm"), ("W10.e30.", "header is not an object"),
    ("eyJhbGciOiJSUzI1NiJ9.!.", "payload is not base64"), ("eyJhbGciOiJSUzI1NiJ9.bm8.", "payload: invalid character"),
    ("eyJhbGciOiJSUzI1NiIsImNyaXQiOlsieCJdfQ.e30.", "unsupported critical header"),
  ])
  func `A text that is no token says why`(_ text: String, _ reason: String) throws {
    let error = #expect(throws: AuthenticationError.self) { try SignedToken(text, doing: "error parsing token") }
    let description = try #require(error).description
    #expect(description.hasPrefix("error parsing token: go-jose/go-jose: ") && description.contains(reason))
  }

  @Test func `Tokens and key sets beyond their limits are refused before they are read`() {
    #expect(throws: AuthenticationError.tooLarge(what: "token", limit: SignedToken.sizeLimit)) {
      try SignedToken(String(repeating: "a", count: SignedToken.sizeLimit + 1), doing: "test")
    }
    #expect(throws: AuthenticationError.tooLarge(what: "key set", limit: KeySet.sizeLimit)) {
      try KeySet(json: [UInt8](repeating: 0x20, count: KeySet.sizeLimit + 1))
    }
    let many: Dynamic = ["keys": .array(Array(repeating: ["kty": "RSA"], count: KeySet.countLimit + 1))]
    #expect(throws: AuthenticationError.self) { try KeySet(json: Array(many.json.utf8)) }
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: AuthenticationError.self) { try KeySet(json: Array(deep.utf8)) }
  }

  @Test func `What is encoded in base64 for URLs is decoded again`() {
    for count in 0..<40 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ count) }
      #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
    }
    for text in ["a", "ab=", "a+b/", "abcde"] { #expect(Base64URL.decode(text) == nil) }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4])
  func `Random changes of a token never pass and never crash`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let keys = try KeySet(json: issuer.keySet)
    let token = Array(try issuer.token(TestIssuer.claims(), algorithm: "ES256").utf8)
    for _ in 0..<400 {
      var bytes = token
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0x20..<0x7F, using: &generator)
        case 1: bytes.remove(at: place)
        default: bytes.insert(UInt8.random(in: 0x20..<0x7F, using: &generator), at: place)
        }
      }
      guard let changed = try? SignedToken(String(decoding: bytes, as: UTF8.self), doing: "test") else { continue }
      guard keys.verifies(changed) else { continue }
      // The last letter of base64 has bits that mean nothing.
      #expect(bytes.dropLast() == token.dropLast(), "seed \(seed)")
    }
  }
}

/// SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
