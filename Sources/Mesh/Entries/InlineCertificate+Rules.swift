import Model

/// Looks into certificates and keys, for the rules that ask what is in them.
public protocol CertificateInspection {
  /// Facts about the first private key of a PEM text; nil if there is none that can be read.
  func privateKey(pem: String) -> KeyFacts?

  /// Facts about the public key of the first certificate of a PEM text; nil if there is none that can be read.
  func certificateKey(pem: String) -> KeyFacts?
}

/// What the rules ask of a key.
public struct KeyFacts: Sendable, Equatable {
  /// The length of the modulus for RSA; nil for other algorithms.
  public var rsaBits: Int?
  /// The public half, in whatever bytes make equal keys equal (SubjectPublicKeyInfo in DER).
  public var publicKey: [UInt8]

  public init(rsaBits: Int? = nil, publicKey: [UInt8]) {
    self.rsaBits = rsaBits
    self.publicKey = publicKey
  }
}

extension InlineCertificate: EntryRules {
  /// - Throws: `ConfigEntryError` if certificate and key cannot be read, do not belong together, or are too weak.
  public func check(_ inspection: some CertificateInspection) throws(ConfigEntryError) {
    guard let key = inspection.privateKey(pem: privateKey) else {
      throw ConfigEntryError("failed to parse private key PEM")
    }
    guard let certified = inspection.certificateKey(pem: certificate) else {
      throw ConfigEntryError("failed to parse certificate PEM")
    }
    if let bits = key.rsaBits { try require(bits >= 2048, "key length must be at least 2048 bits") }
    try require(
      (certified.rsaBits == nil) == (key.rsaBits == nil), "tls: private key type does not match public key type")
    try require(certified.publicKey == key.publicKey, "tls: private key does not match public key")
  }

  func validate() throws(ConfigEntryError) {
    try checkMeta()
    try requireServiceName()
  }
}
