import Certificates
import Model

/// Makes the roots of the built-in provider. Pure: time and serial numbers are passed in.
struct RootMaker: Sendable {
  /// The authorities that a new root is introduced by count for so long, in seconds: a week.
  private static let crossLifetime: Int64 = 7 * 86400
  /// Clocks differ: what is signed now counts from so many seconds ago.
  static let clockSkew: Int64 = 60

  var clusterID: String
  var options: ProviderOptions

  var trustDomain: String { "\(clusterID).consul" }

  /// A root with its key: made new, or as the options bring it.
  func make(serial: UInt64, now: Int64) throws(ServerError) -> CertificateAuthority {
    let key = try key()
    do throws(CertificatesError) {
      if !options.rootCertificate.isEmpty {
        return try CertificateAuthority(try SignedCertificate(pem: options.rootCertificate), key: key)
      }
      var template = template(try validity(now))
      template.serial = CertificateSerial(UInt128(serial))
      return try CertificateAuthority.root(template, key: key)
    } catch {
      throw .rejected("error generating CA root certificate: error generating CA: \(error)")
    }
  }

  private func validity(_ now: Int64) throws(CertificatesError) -> Validity {
    try Validity(notBefore: now, notAfter: now &+ options.rootLifetime.wholeSeconds)
  }

  private func key() throws(ServerError) -> PrivateKey {
    let prefix = "error generating CA root certificate: error generating CA: "
    do throws(CertificatesError) {
      if options.privateKey.isEmpty {
        guard let kind = options.keyKind else {
          throw .signing(reason: "\(options.keyType) keys of \(options.keyBits) bits are not supported")
        }
        return try PrivateKey.generate(kind)
      }
      guard options.privateKey.contains("-----BEGIN") else {
        throw .malformed(what: "private key", reason: "no PEM-encoded data found")
      }
      return try PrivateKey(pem: options.privateKey)
    } catch CertificatesError.malformed(_, let reason) {
      throw .rejected("\(prefix)error parsing private key \"\(Self.shown(options.privateKey))\": \(reason)")
    } catch {
      throw .rejected("\(prefix)\(error)")
    }
  }

  /// A key is nothing for error texts; what is none may be shown.
  private static func shown(_ text: String) -> String { text.contains("PRIVATE KEY") ? "<hidden>" : text }

  private func template(_ validity: Validity) -> CertificateTemplate {
    let name = "pri-\(Self.randomWord()).consul.ca.\(clusterID.prefix(8)).consul"
    var template = CertificateTemplate(
      .authority(pathLengthMax: nil), subject: SubjectName(commonName: name), validity: validity,
      usages: [.digitalSignature, .certificateSigning, .revocationListSigning])
    template.names = AlternativeNames(uris: [SPIFFEIdentity(trustDomain: trustDomain, .authority).uri])
    template.keyIdentifierForm = .full
    return template
  }

  private static func randomWord() -> String {
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    return String((0..<8).compactMap { _ in letters.randomElement() })
  }

  /// The new root as the old one certifies it, so that whoever knows only the old one trusts what the new one signs.
  func introduce(
    _ new: SignedCertificate, by old: CertificateAuthority, serial: UInt64, now: Int64
  ) throws(ServerError) -> SignedCertificate {
    do throws(CertificatesError) {
      let from = now &- Self.clockSkew
      let validity = try Validity(notBefore: from, notAfter: from &+ Self.crossLifetime)
      var template = template(validity)
      template.names = new.names
      template.serial = CertificateSerial(UInt128(serial))
      return try old.certify(new, template)
    } catch {
      throw .rejected("error cross-signing the new root: \(error)")
    }
  }

  /// How a root is told to everybody.
  func record(_ authority: CertificateAuthority, intermediates: [SignedCertificate]) -> CARoot {
    let certificate = authority.certificate
    var root = CARoot()
    root.id = HexadecimalPairs.text(certificate.fingerprint)
    root.name = "Consul CA Primary Cert"
    root.serialNumber = UInt64(clamping: certificate.serial?.value ?? 0)
    root.signingKeyID = HexadecimalPairs.text(certificate.publicKey.fullIdentifier)
    root.externalTrustDomain = clusterID
    root.notBefore = Timestamp(unixSeconds: certificate.notBefore)
    root.notAfter = Timestamp(unixSeconds: certificate.notAfter)
    root.rootCert = certificate.pem
    root.intermediateCerts = intermediates.map(\.pem)
    root.active = true
    switch authority.key.kind {
    case .rsa(let bits): (root.privateKeyType, root.privateKeyBits) = ("rsa", bits)
    case .p256: (root.privateKeyType, root.privateKeyBits) = ("ec", 256)
    case .p384: (root.privateKeyType, root.privateKeyBits) = ("ec", 384)
    case .p521: (root.privateKeyType, root.privateKeyBits) = ("ec", 521)
    }
    return root
  }
}

extension GoDuration {
  var wholeSeconds: Int64 { nanoseconds / 1_000_000_000 }
}
