import Crypto
import SwiftASN1
import Testing

@testable import Certificates

struct PrivateKeyTests {
  @Test(arguments: [PrivateKey.Kind.p256, .p384, .p521, .rsa(bits: 2048)])
  func everyKindSurvivesATripThroughPEMAndSigns(kind: PrivateKey.Kind) throws {
    let key = try PrivateKey.generate(kind)
    let read = try PrivateKey(pem: key.pem)
    #expect(read.kind == kind)
    #expect(read.publicKey == key.publicKey)
    #expect(read.pem == key.pem)
    let template = CertificateTemplate(
      .authority(pathLengthMax: nil), subject: SubjectName(commonName: "Root"),
      validity: try Validity(from: 1_800_000_000, days: 1), usages: [.certificateSigning])
    let authority = try CertificateAuthority.root(template, key: read)
    #expect(authority.certificate.isSigned(by: authority.certificate))
    let type = if case .rsa = kind { "RSA" } else { "EC" }
    #expect(key.pem.hasPrefix("-----BEGIN \(type) PRIVATE KEY-----\n"))
  }

  @Test func keysInPKCS8AndBehindOtherBlocksAreRead() throws {
    let key = P256.Signing.PrivateKey()
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    #expect(try PrivateKey(pem: key.pemRepresentation).kind == .p256)
    #expect(try PrivateKey(pem: parameters + PrivateKey(pem: key.pemRepresentation).pem).kind == .p256)
  }

  @Test(arguments: [0, 512, 1024, 2047, 2049, 1 << 20])
  func impossibleSizesAreRefused(bits: Int) {
    #expect(throws: CertificatesError.self) { try PrivateKey.generate(.rsa(bits: bits)) }
  }

  @Test func aTextWithoutAKeyIsNamedSo() throws {
    for text in ["", "junk", try SigningRequestTests.request().pem] {
      #expect(throws: CertificatesError.self) { try PrivateKey(pem: text) }
    }
  }
}

struct SigningRequestTests {
  static func request() throws -> SigningRequest {
    try SigningRequest(
      subject: SubjectName(commonName: "n1"),
      names: AlternativeNames(dnsNames: ["n1.test"], addresses: ["127.0.0.1"], uris: ["spiffe://x.consul/agent/n1"]),
      key: try PrivateKey.generate(.p256))
  }

  @Test func whatIsAskedForArrives() throws {
    let request = try Self.request()
    let read = try SigningRequest(pem: request.pem)
    #expect(read.names == request.names)
    #expect(read.publicKey == request.publicKey)
  }

  @Test func aRequestThatSomebodyChangedIsRefused() throws {
    let request = try Self.request()
    let changed = try SigningRequest(
      subject: SubjectName(commonName: "n1"), names: AlternativeNames(dnsNames: ["n1.test"]),
      key: try PrivateKey.generate(.p256))
    // The last bytes of a request are its signature.
    var der = request.der
    for index in der.indices.suffix(8) { der[index] ^= 0x55 }
    #expect(throws: CertificatesError.self) { try SigningRequest(pem: PEMText.requestText(der)) }
    #expect(throws: Never.self) { try SigningRequest(pem: changed.pem) }
  }

  @Test func brokenTextsAreRefusedAndNeverCrash() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed", seed)
    var random = Seeded(state: seed)
    let key = try PrivateKey.generate(.p256)
    let template = CertificateTemplate(
      .leaf, subject: SubjectName(commonName: "x"), validity: try Validity(from: 1_800_000_000, days: 1), usages: [])
    let certificate = try CertificateAuthority.root(template, key: key).certificate
    let originals = [certificate.der, try Self.request().der]
    for _ in 0..<400 {
      for var der in originals {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          der[Int.random(in: der.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
        }
        if Bool.random(using: &random) { der.removeLast(Int.random(in: 0..<der.count, using: &random)) }
        _ = try? SignedCertificate(pem: PEMText.certificateText(der)).names
        _ = try? SigningRequest(pem: PEMText.requestText(der))
      }
      var text = Array(key.pem.utf8)
      text[Int.random(in: text.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      _ = try? PrivateKey(pem: String(decoding: text, as: UTF8.self))
    }
  }
}

extension PEMText {
  static func certificateText(_ der: [UInt8]) -> String { PEMDocument(type: "CERTIFICATE", derBytes: der).pemString }
  static func requestText(_ der: [UInt8]) -> String {
    PEMDocument(type: "CERTIFICATE REQUEST", derBytes: der).pemString
  }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
