import Testing

@testable import Certificates

/// What an authority signs, and what stands in it.
struct AuthorityTests {
  private let now: Int64 = 1_800_000_000

  private func root(
    _ kind: PrivateKey.Kind = .p256, _ change: (inout CertificateTemplate) -> Void = { _ in }
  ) throws -> CertificateAuthority {
    var template = CertificateTemplate(
      .authority(pathLengthMax: nil), subject: SubjectName([(.country, "US"), (.commonName, "Root")]),
      validity: try Validity(from: now, days: 10), usages: [.digitalSignature, .certificateSigning])
    change(&template)
    return try CertificateAuthority.root(template, key: try PrivateKey.generate(kind))
  }

  private func leaf() throws -> CertificateTemplate {
    CertificateTemplate(
      .leaf, subject: SubjectName(commonName: "web"), validity: try Validity(from: now, days: 1),
      usages: [.digitalSignature])
  }

  @Test func aRootCertifiesItself() throws {
    let serial = CertificateSerial(UInt128(1) << 126 | 5)
    let root = try root { $0.serial = serial }
    #expect(root.certificate.isAuthority)
    #expect(root.certificate.isSigned(by: root.certificate))
    #expect(root.certificate.serial == serial)
    #expect(root.certificate.notBefore == now)
    #expect(root.certificate.notAfter == now + 10 * 86400)
    #expect(root.certificate.keyIdentifier == root.key.publicKey.identifier)
  }

  @Test func aLeafIsSignedByItsAuthorityAndNoOther() throws {
    let (root, other) = (try root(), try root())
    let key = try PrivateKey.generate(.p256)
    let certificate = try root.sign(try leaf(), for: key.publicKey)
    #expect(!certificate.isAuthority)
    #expect(certificate.publicKey == key.publicKey)
    #expect(certificate.isSigned(by: root.certificate))
    #expect(!certificate.isSigned(by: other.certificate))
  }

  @Test func namesKeepTheirOrderAndSurviveATripThroughPEM() throws {
    var template = try leaf()
    template.names = AlternativeNames(
      dnsNames: ["b.test", "a.test", "localhost"], addresses: ["10.1.2.3", "::1"],
      uris: ["spiffe://11111111-2222-3333-4444-555555555555.consul"])
    let key = try PrivateKey.generate(.p384)
    let certificate = try root().sign(template, for: key.publicKey)
    #expect(try SignedCertificate(pem: certificate.pem).names == template.names)
    #expect(try SignedCertificate(pem: certificate.pem).der == certificate.der)
  }

  @Test func namesThatCannotStandInACertificateAreRefused() throws {
    var template = try leaf()
    for name in ["", "two words", "new\nline", "münchen.test"] {
      template.names = AlternativeNames(dnsNames: [name])
      #expect(throws: CertificatesError.self) { try root().sign(template, for: PrivateKey.generate(.p256).publicKey) }
    }
    template.names = AlternativeNames(addresses: ["10.1.2"])
    #expect(throws: CertificatesError.notAnAddress("10.1.2")) {
      try root().sign(template, for: PrivateKey.generate(.p256).publicKey)
    }
  }

  @Test func theKeyOfAnotherMakesNoAuthority() throws {
    let certificate = try root().certificate
    #expect(throws: CertificatesError.keyMismatch) {
      try CertificateAuthority(certificate, key: PrivateKey.generate(.p256))
    }
    #expect(
      CertificatesError.keyMismatch.description == "x509: provided PrivateKey doesn't match parent's PublicKey")
  }

  @Test func anIntermediateAuthoritySignsInItsOwnName() throws {
    let root = try root()
    let key = try PrivateKey.generate(.p256)
    let template = CertificateTemplate(
      .authority(pathLengthMax: 0), subject: SubjectName(commonName: "Intermediate"),
      validity: try Validity(from: now, days: 5), usages: [.certificateSigning])
    let intermediate = try CertificateAuthority(root.sign(template, for: key.publicKey), key: key)
    let certificate = try intermediate.sign(try leaf(), for: PrivateKey.generate(.p256).publicKey)
    #expect(intermediate.certificate.isSigned(by: root.certificate))
    #expect(certificate.isSigned(by: intermediate.certificate))
    #expect(!certificate.isSigned(by: root.certificate))
    let chain = try SignedCertificate.chain(pem: certificate.pem + intermediate.certificate.pem)
    #expect(chain.map(\.der) == [certificate.der, intermediate.certificate.der])
  }

  @Test func timesBeyondTheYear9999AreRefused() throws {
    for days in [Int.max, 10_000_000, -10_000_000] {
      #expect(throws: CertificatesError.timeOutOfRange) { try Validity(from: now, days: days) }
    }
    #expect(try Validity(from: now, days: 0).notAfter == now)
  }

  @Test func serialsArePositiveAndDiffer() {
    let serials = (0..<100).map { _ in CertificateSerial.random() }
    #expect(Set(serials).count == 100)
    #expect(serials.allSatisfy { $0.value > 0 && $0.bytes.first.map { $0 < 0x80 } == true && $0.bytes.count == 16 })
  }
}
