import Crypto
import SwiftASN1
import X509
import _CryptoExtras

/// The private half of a key pair.
public struct PrivateKey: Sendable {
  public enum Kind: Sendable, Hashable {
    case p256
    case p384
    case p521
    /// 2048 bits or more, a multiple of 8.
    case rsa(bits: Int)
  }

  enum Backing: Sendable {
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p521(P521.Signing.PrivateKey)
    case rsa(_RSA.Signing.PrivateKey)
  }

  let backing: Backing

  private init(_ backing: Backing) { self.backing = backing }

  /// Makes a new key. RSA takes some tenths of a second, more with more bits.
  ///
  /// - Throws: `CertificatesError.signing` for RSA sizes that are not possible.
  public static func generate(_ kind: Kind) throws(CertificatesError) -> PrivateKey {
    switch kind {
    case .p256: return PrivateKey(.p256(P256.Signing.PrivateKey()))
    case .p384: return PrivateKey(.p384(P384.Signing.PrivateKey()))
    case .p521: return PrivateKey(.p521(P521.Signing.PrivateKey()))
    case .rsa(let bits):
      guard (2048...16384).contains(bits), bits.isMultiple(of: 8) else {
        throw .signing(reason: "RSA keys have 2048 to 16384 bits, not \(bits)")
      }
      do {
        return PrivateKey(.rsa(try _RSA.Signing.PrivateKey(keySize: .init(bitCount: bits))))
      } catch {
        throw .signing(reason: "\(error)")
      }
    }
  }

  /// Reads a key from PEM: SEC 1 (`EC PRIVATE KEY`), PKCS #1 (`RSA PRIVATE KEY`) or PKCS #8 (`PRIVATE KEY`). Other blocks of
  /// the text are passed over.
  ///
  /// - Throws: `CertificatesError.malformed` without such a block, for an encrypted key and for kinds not in `Kind`.
  public init(pem: String) throws(CertificatesError) {
    let documents = try PEMText.blocks(pem, what: "private key")
    guard let document = documents.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") }) else {
      throw .malformed(what: "private key", reason: "no private key in the PEM text")
    }
    let text = document.pemString
    if let key = try? P256.Signing.PrivateKey(pemRepresentation: text) {
      backing = .p256(key)
    } else if let key = try? P384.Signing.PrivateKey(pemRepresentation: text) {
      backing = .p384(key)
    } else if let key = try? P521.Signing.PrivateKey(pemRepresentation: text) {
      backing = .p521(key)
    } else if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: text) {
      backing = .rsa(key)
    } else {
      throw .malformed(what: "private key", reason: "neither EC (P-256, P-384, P-521) nor RSA of at least 2048 bits")
    }
  }

  /// The bits of an RSA key that is too short to be used; nil for all others.
  public static func weakBits(pem: String) -> Int? {
    guard let blocks = try? PEMText.blocks(pem, what: "private key"),
      let document = blocks.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") }),
      let key = try? _RSA.Signing.PrivateKey(unsafePEMRepresentation: document.pemString), key.keySizeInBits < 2048
    else { return nil }
    return key.keySizeInBits
  }

  public var kind: Kind {
    switch backing {
    case .p256: .p256
    case .p384: .p384
    case .p521: .p521
    case .rsa(let key): .rsa(bits: key.keySizeInBits)
    }
  }

  public var publicKey: PublicKey { PublicKey(signer.publicKey) }

  /// SEC 1 for elliptic curves and PKCS #1 for RSA: the forms that every tool reads.
  public var pem: String {
    switch backing {
    case .p256(let key):
      sec1(key.rawRepresentation, key.publicKey.x963Representation, curve: [1, 2, 840, 10045, 3, 1, 7])
    case .p384(let key): sec1(key.rawRepresentation, key.publicKey.x963Representation, curve: [1, 3, 132, 0, 34])
    case .p521(let key): sec1(key.rawRepresentation, key.publicKey.x963Representation, curve: [1, 3, 132, 0, 35])
    case .rsa(let key): key.pemRepresentation + "\n"
    }
  }

  var signer: Certificate.PrivateKey {
    switch backing {
    case .p256(let key): Certificate.PrivateKey(key)
    case .p384(let key): Certificate.PrivateKey(key)
    case .p521(let key): Certificate.PrivateKey(key)
    case .rsa(let key): Certificate.PrivateKey(key)
    }
  }

  /// `ECPrivateKey` of SEC 1 (RFC 5915).
  private func sec1(
    _ secret: some Collection<UInt8>, _ point: some Collection<UInt8>, curve: ASN1ObjectIdentifier
  ) -> String {
    var coder = DER.Serializer()
    do {
      try coder.appendConstructedNode(identifier: .sequence) { coder in
        try coder.serialize(1)
        try coder.serialize(ASN1OctetString(contentBytes: Array(secret)[...]))
        try coder.serialize(explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific) { try $0.serialize(curve) }
        try coder.serialize(explicitlyTaggedWithTagNumber: 1, tagClass: .contextSpecific) {
          try $0.serialize(ASN1BitString(bytes: Array(point)[...]))
        }
      }
    } catch {
      // The encoder refuses only values that are out of range, of which there is none here.
      return ""
    }
    return PEMDocument(type: "EC PRIVATE KEY", derBytes: coder.serializedBytes).pemString + "\n"
  }
}

/// The public half of a key pair.
public struct PublicKey: Sendable, Hashable {
  let key: Certificate.PublicKey

  init(_ key: Certificate.PublicKey) { self.key = key }

  /// The first 160 bits of the SHA-256 hash of the key (RFC 7093, method 1).
  public var identifier: [UInt8] { Array(fullIdentifier.prefix(20)) }

  /// The SHA-256 hash of the key.
  public var fullIdentifier: [UInt8] { Array(SHA256.hash(data: key.subjectPublicKeyInfoBytes)) }

  func identifier(_ form: CertificateTemplate.KeyIdentifierForm) -> [UInt8] {
    form == .full ? fullIdentifier : identifier
  }
}

/// Texts with several PEM blocks.
enum PEMText {
  /// Bytes of a text; more than any chain of certificates takes.
  static let sizeMax = 4 << 20

  static func blocks(_ text: String, what: String) throws(CertificatesError) -> [PEMDocument] {
    guard text.utf8.count <= sizeMax else {
      throw .malformed(what: what, reason: "more than \(sizeMax) bytes")
    }
    do {
      return try PEMDocument.parseMultiple(pemString: text)
    } catch {
      throw .malformed(what: what, reason: "no PEM text")
    }
  }
}
