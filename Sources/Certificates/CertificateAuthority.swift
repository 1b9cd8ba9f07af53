import Crypto
import SwiftASN1
import X509

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A certificate with the private key that signs others in its name.
public struct CertificateAuthority: Sendable {
  public let certificate: SignedCertificate
  public let key: PrivateKey

  /// - Throws: `CertificatesError.keyMismatch`
  public init(_ certificate: SignedCertificate, key: PrivateKey) throws(CertificatesError) {
    guard certificate.publicKey == key.publicKey else { throw .keyMismatch }
    self.certificate = certificate
    self.key = key
  }

  /// Makes a root: an authority that certifies itself.
  public static func root(_ template: CertificateTemplate, key: PrivateKey) throws(CertificatesError)
    -> CertificateAuthority
  {
    let certificate = try Issuer(
      name: try template.subject.distinguishedName, key: key,
      keyIdentifier: key.publicKey.identifier(template.keyIdentifierForm)
    ).certificate(template, for: key.publicKey)
    return try CertificateAuthority(certificate, key: key)
  }

  /// Certifies what the template says of the holder of a key.
  public func sign(_ template: CertificateTemplate, for publicKey: PublicKey) throws(CertificatesError)
    -> SignedCertificate
  {
    try issuer.certificate(template, for: publicKey)
  }

  /// Certifies another authority under its own name, so that whoever trusts this one trusts that one, too. The subject of the
  /// template does not count.
  public func certify(
    _ other: SignedCertificate, _ template: CertificateTemplate
  ) throws(CertificatesError) -> SignedCertificate {
    try issuer.certificate(template, for: other.publicKey, subject: other.certificate.subject)
  }

  private var issuer: Issuer {
    Issuer(
      name: certificate.certificate.subject, key: key,
      keyIdentifier: certificate.keyIdentifier ?? certificate.publicKey.identifier)
  }
}

/// Who signs.
private struct Issuer {
  let name: DistinguishedName
  let key: PrivateKey
  let keyIdentifier: [UInt8]

  func certificate(
    _ template: CertificateTemplate, for publicKey: PublicKey, subject other: DistinguishedName? = nil
  ) throws(CertificatesError) -> SignedCertificate {
    let subject = if let other { other } else { try template.subject.distinguishedName }
    let names = try template.names.general
    do {
      let certificate = try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(bytes: template.serial.bytes), publicKey: publicKey.key,
        notValidBefore: Date(timeIntervalSince1970: Double(template.validity.notBefore)),
        notValidAfter: Date(timeIntervalSince1970: Double(template.validity.notAfter)), issuer: name, subject: subject,
        extensions: try extensions(template, names, publicKey, subject), issuerPrivateKey: key.signer)
      return try SignedCertificate(certificate)
    } catch {
      throw .signing(reason: "\(error)")
    }
  }

  private func extensions(
    _ template: CertificateTemplate, _ names: SubjectAlternativeNames, _ publicKey: PublicKey,
    _ subject: DistinguishedName
  ) throws -> Certificate.Extensions {
    var extensions = Certificate.Extensions()
    let usages = template.usages
    try extensions.append(
      Certificate.Extension(
        KeyUsage(
          digitalSignature: usages.contains(.digitalSignature), keyEncipherment: usages.contains(.keyEncipherment),
          dataEncipherment: usages.contains(.dataEncipherment), keyAgreement: usages.contains(.keyAgreement),
          keyCertSign: usages.contains(.certificateSigning), cRLSign: usages.contains(.revocationListSigning)),
        critical: true))
    if !template.extendedUsages.isEmpty {
      let list = template.extendedUsages.map { usage -> ExtendedKeyUsage.Usage in
        usage == .serverAuthentication ? .serverAuth : .clientAuth
      }
      try extensions.append(Certificate.Extension(try ExtendedKeyUsage(list), critical: false))
    }
    let constraints: BasicConstraints =
      switch template.role {
      case .authority(let pathLengthMax): .isCertificateAuthority(maxPathLength: pathLengthMax)
      case .leaf: .notCertificateAuthority
      }
    try extensions.append(Certificate.Extension(constraints, critical: true))
    try extensions.append(
      Certificate.Extension(
        SubjectKeyIdentifier(keyIdentifier: publicKey.identifier(template.keyIdentifierForm)[...]), critical: false))
    try extensions.append(
      Certificate.Extension(AuthorityKeyIdentifier(keyIdentifier: keyIdentifier[...]), critical: false))
    if !template.names.isEmpty {
      // Without a subject, the names are all there is to it (RFC 5280, section 4.2.1.6).
      try extensions.append(Certificate.Extension(names, critical: subject.isEmpty))
    }
    if !template.permittedDomains.isEmpty {
      let permitted = NameConstraints(permittedSubtrees: template.permittedDomains.map { .dnsName($0) })
      try extensions.append(Certificate.Extension(permitted, critical: true))
    }
    return extensions
  }
}

/// A certificate: what an authority says about the holder of a key.
public struct SignedCertificate: Sendable {
  let certificate: Certificate
  public let der: [UInt8]

  init(_ certificate: Certificate) throws {
    self.certificate = certificate
    var coder = DER.Serializer()
    try coder.serialize(certificate)
    der = coder.serializedBytes
  }

  /// Reads the first certificate of a PEM text.
  ///
  /// - Throws: `CertificatesError.malformed`
  public init(pem: String) throws(CertificatesError) {
    guard let first = try Self.chain(pem: pem).first else {
      throw .malformed(what: "certificate", reason: "no certificate in the PEM text")
    }
    self = first
  }

  /// All certificates of a PEM text, in order. Other blocks are passed over.
  public static func chain(pem: String) throws(CertificatesError) -> [SignedCertificate] {
    let documents = try PEMText.blocks(pem, what: "certificate").filter { $0.discriminator == "CERTIFICATE" }
    do {
      return try documents.map { try SignedCertificate(try Certificate(pemDocument: $0)) }
    } catch {
      throw .malformed(what: "certificate", reason: "\(error)")
    }
  }

  public var pem: String { Self.pem(der: der) }

  /// The text form of a certificate that is not looked at.
  public static func pem(der: [UInt8]) -> String { PEMDocument(type: "CERTIFICATE", derBytes: der).pemString + "\n" }

  public var publicKey: PublicKey { PublicKey(certificate.publicKey) }

  /// The SHA-1 hash of the certificate, by which tools name it. No protection rests on it.
  public var fingerprint: [UInt8] { Array(Insecure.SHA1.hash(data: der)) }

  /// Seconds since 1970.
  public var notBefore: Int64 { Int64(certificate.notValidBefore.timeIntervalSince1970) }
  /// Seconds since 1970.
  public var notAfter: Int64 { Int64(certificate.notValidAfter.timeIntervalSince1970) }

  /// Nil for numbers of more than 128 bits, which other authorities may use.
  public var serial: CertificateSerial? {
    let bytes = certificate.serialNumber.bytes.drop { $0 == 0 }
    guard bytes.count <= 16 else { return nil }
    return CertificateSerial(bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
  }

  public var names: AlternativeNames {
    guard let names = try? certificate.extensions.subjectAlternativeNames else { return AlternativeNames() }
    return AlternativeNames(names)
  }

  public var isAuthority: Bool {
    if case .isCertificateAuthority? = try? certificate.extensions.basicConstraints { true } else { false }
  }

  /// As the certificate tells it, nil if it does not.
  public var keyIdentifier: [UInt8]? {
    (try? certificate.extensions.subjectKeyIdentifier).map { Array($0.keyIdentifier) }
  }

  /// Whether that authority's key made the signature. Neither names nor times are looked at.
  public func isSigned(by authority: SignedCertificate) -> Bool {
    authority.certificate.publicKey.isValidSignature(certificate.signature, for: certificate)
      && certificate.issuer == authority.certificate.subject
  }
}
