import Crypto
import NIOSSL

@testable import Checks

/// A certificate made for a test: signed with its own key, or with that of another.
struct TestCertificate {
  let key = P256.Signing.PrivateKey()
  let der: [UInt8]

  /// - Parameters:
  ///   - validity: start and end as `YYYYMMDDHHMMSSZ`.
  ///   - issuer: nil signs with the certificate's own key and makes it an authority.
  init(
    name: String, dnsNames: [String] = [], addresses: [[UInt8]] = [],
    validity: (String, String) = ("20200101000000Z", "20491231235959Z"), issuer: TestCertificate? = nil
  ) throws {
    let subject = Self.commonName(name)
    let signer = issuer?.key ?? key
    let names =
      dnsNames.map { DER.value(0x82, Array($0.utf8)) } + addresses.map { DER.value(0x87, $0) }
    let basic = DER.sequence([
      DER.oid([85, 29, 19]), DER.value(1, [0xff]),
      DER.value(4, DER.sequence(issuer == nil ? [DER.value(1, [0xff])] : [])),
    ])
    let alternatives = DER.sequence([DER.oid([85, 29, 17]), DER.value(4, DER.sequence(names))])
    let algorithm = DER.sequence([DER.oid([42, 134, 72, 206, 61, 4, 3, 2])])
    let body = DER.sequence([
      DER.value(0xa0, DER.value(2, [2])), DER.value(2, [1 + UInt8.random(in: 0...100)]), algorithm,
      issuer?.subject ?? subject,
      DER.sequence([DER.value(24, Array(validity.0.utf8)), DER.value(24, Array(validity.1.utf8))]), subject,
      Array(key.publicKey.derRepresentation),
      DER.value(0xa3, DER.sequence([basic] + (names.isEmpty ? [] : [alternatives]))),
    ])
    let signature = try signer.signature(for: body).derRepresentation
    self.subject = subject
    der = DER.sequence([body, algorithm, DER.value(3, [0] + Array(signature))])
  }

  private let subject: [UInt8]

  private static func commonName(_ name: String) -> [UInt8] {
    DER.sequence([DER.value(0x31, DER.sequence([DER.oid([85, 4, 3]), DER.value(12, Array(name.utf8))]))])
  }

  func certificate() throws -> NIOSSLCertificate { try NIOSSLCertificate(bytes: der, format: .der) }

  /// What a server needs to present this certificate.
  func serverConfiguration(alpn: [String] = []) throws -> TLSConfiguration {
    let privateKey = try NIOSSLPrivateKey(bytes: Array(key.pemRepresentation.utf8), format: .pem)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: [.certificate(try certificate())], privateKey: .privateKey(privateKey))
    configuration.applicationProtocols = alpn
    return configuration
  }

  /// What a client needs to trust this certificate and those signed by it.
  func trust() throws -> AgentTLS {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates([try certificate()])
    return AgentTLS(configuration, serverName: "")
  }
}

/// Just enough of ASN.1's distinguished encoding rules to write a certificate.
private enum DER {
  static func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    let count = content.count
    if count < 128 { return [tag, UInt8(count)] + content }
    if count < 256 { return [tag, 0x81, UInt8(count)] + content }
    return [tag, 0x82, UInt8(count >> 8), UInt8(count & 255)] + content
  }

  static func sequence(_ parts: [[UInt8]]) -> [UInt8] { value(0x30, parts.flatMap { $0 }) }
  static func oid(_ bytes: [UInt8]) -> [UInt8] { value(6, bytes) }
}
