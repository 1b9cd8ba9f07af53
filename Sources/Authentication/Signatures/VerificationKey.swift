import Crypto
import Model
import X509
import _CryptoExtras

/// A public key that signatures are held against. Which algorithms it can have been used with follows from its kind, whatever
/// a token says (RFC 8725, section 3.1).
public enum VerificationKey: Sendable {
  case rsa(_RSA.Signing.PublicKey)
  case p256(P256.Signing.PublicKey)
  case p384(P384.Signing.PublicKey)
  case p521(P521.Signing.PublicKey)
  case ed25519(Curve25519.Signing.PublicKey)

  /// PEM text of a key or of a certificate; RSA keys of 2048 bits and more.
  public init?(pem: String) {
    if let key = try? Certificate.PublicKey(pemEncoded: pem), let known = VerificationKey(key) {
      self = known
    } else if let certificate = try? Certificate(pemEncoded: pem), let known = VerificationKey(certificate.publicKey) {
      self = known
    } else if let key = try? _RSA.Signing.PublicKey(pemRepresentation: pem) {
      self = .rsa(key)
    } else {
      return nil
    }
  }

  private init?(_ key: Certificate.PublicKey) {
    if let key = P256.Signing.PublicKey(key) {
      self = .p256(key)
    } else if let key = P384.Signing.PublicKey(key) {
      self = .p384(key)
    } else if let key = P521.Signing.PublicKey(key) {
      self = .p521(key)
    } else if let key = Curve25519.Signing.PublicKey(key) {
      self = .ed25519(key)
    } else if let key = _RSA.Signing.PublicKey(key), key.keySizeInBits >= 2048 {
      self = .rsa(key)
    } else {
      return nil
    }
  }

  /// A key of a key set (RFC 7517, section 4; RFC 7518, section 6). Nil for kinds that sign no tokens and for damaged ones.
  public init?(jwk: DynamicObject) {
    func bytes(_ name: String) -> [UInt8]? { jwk[name]?.string.flatMap { Base64URL.decode($0) } }
    switch (jwk["kty"]?.string, jwk["crv"]?.string) {
    case ("RSA", _):
      guard let n = bytes("n"), let e = bytes("e"), n.count <= 2048, e.count <= 8,
        let key = try? _RSA.Signing.PublicKey(n: n, e: e)
      else { return nil }
      self = .rsa(key)
    case ("EC", let curve?):
      guard let x = bytes("x"), let y = bytes("y"), let key = Self.point(curve, x, y) else { return nil }
      self = key
    case ("OKP", "Ed25519"):
      guard let x = bytes("x"), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else { return nil }
      self = .ed25519(key)
    default: return nil
    }
  }

  private static func point(_ curve: String, _ x: [UInt8], _ y: [UInt8]) -> VerificationKey? {
    let sizes = ["P-256": 32, "P-384": 48, "P-521": 66]
    guard let size = sizes[curve], x.count == size, y.count == size else { return nil }
    switch curve {
    case "P-256": return (try? P256.Signing.PublicKey(rawRepresentation: x + y)).map { .p256($0) }
    case "P-384": return (try? P384.Signing.PublicKey(rawRepresentation: x + y)).map { .p384($0) }
    default: return (try? P521.Signing.PublicKey(rawRepresentation: x + y)).map { .p521($0) }
    }
  }

  /// Whether the holder of the private key signed `message` in this way.
  public func verifies(_ signature: [UInt8], of message: [UInt8], by algorithm: SignatureAlgorithm) -> Bool {
    switch (self, algorithm) {
    case (.rsa(let key), .rs256), (.rsa(let key), .rs384), (.rsa(let key), .rs512):
      Self.verifies(key, signature, message, algorithm, .insecurePKCS1v1_5)
    case (.rsa(let key), .ps256), (.rsa(let key), .ps384), (.rsa(let key), .ps512):
      Self.verifies(key, signature, message, algorithm, .PSS)
    case (.p256(let key), .es256):
      (try? P256.Signing.ECDSASignature(rawRepresentation: signature))
        .map { key.isValidSignature($0, for: SHA256.hash(data: message)) } ?? false
    case (.p384(let key), .es384):
      (try? P384.Signing.ECDSASignature(rawRepresentation: signature))
        .map { key.isValidSignature($0, for: SHA384.hash(data: message)) } ?? false
    case (.p521(let key), .es512):
      (try? P521.Signing.ECDSASignature(rawRepresentation: signature))
        .map { key.isValidSignature($0, for: SHA512.hash(data: message)) } ?? false
    case (.ed25519(let key), .edDSA): key.isValidSignature(signature, for: message)
    default: false
    }
  }

  private static func verifies(
    _ key: _RSA.Signing.PublicKey, _ signature: [UInt8], _ message: [UInt8], _ algorithm: SignatureAlgorithm,
    _ padding: _RSA.Signing.Padding
  ) -> Bool {
    let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
    return switch algorithm {
    case .rs256, .ps256: key.isValidSignature(signature, for: SHA256.hash(data: message), padding: padding)
    case .rs384, .ps384: key.isValidSignature(signature, for: SHA384.hash(data: message), padding: padding)
    default: key.isValidSignature(signature, for: SHA512.hash(data: message), padding: padding)
    }
  }
}
