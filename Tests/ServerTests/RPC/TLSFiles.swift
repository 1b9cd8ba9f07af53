import Certificates
import Foundation
import NIOSSL
import TransportSecurity

/// An authority and certificates of a cluster, in a folder that is gone with this object.
final class TLSFiles {
  let path: String
  private let authority: CertificateAuthority

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/server-tls-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    authority = try Self.root("CA")
    try write("ca.pem", authority.certificate.pem)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  private static var now: Int64 { Int64(Date().timeIntervalSince1970) }

  static func root(_ name: String) throws -> CertificateAuthority {
    let template = CertificateTemplate(
      .authority(pathLengthMax: nil), subject: SubjectName(commonName: name),
      validity: try Validity(from: now - 60, days: 10), usages: [.digitalSignature, .certificateSigning])
    return try CertificateAuthority.root(template, key: try PrivateKey.generate(.p256))
  }

  func write(_ name: String, _ text: String) throws {
    try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
  }

  /// Makes a certificate with its key: `<name>.pem` and `<name>-key.pem`.
  func make(
    _ name: String, dnsNames: [String], uris: [String] = [], by other: CertificateAuthority? = nil, from: Int64? = nil
  ) throws {
    var template = CertificateTemplate(
      .leaf, subject: SubjectName(commonName: name), validity: try Validity(from: from ?? Self.now - 60, days: 1),
      usages: [.digitalSignature])
    template.names = AlternativeNames(dnsNames: dnsNames, uris: uris)
    template.extendedUsages = [.serverAuthentication, .clientAuthentication]
    let key = try PrivateKey.generate(.p256)
    try write("\(name).pem", try (other ?? authority).sign(template, for: key.publicKey).pem)
    try write("\(name)-key.pem", key.pem)
  }

  /// A certificate whose time is over.
  func makeExpired(_ name: String) throws { try make(name, dnsNames: ["localhost"], from: Self.now - 10 * 86400) }

  /// Everything is verified, and the named certificate presented.
  func settings(_ certificate: String) -> AgentTLSSettings {
    var settings = AgentTLSSettings()
    settings.internalRPC.authorityFile = "\(path)/ca.pem"
    settings.internalRPC.certificateFile = "\(path)/\(certificate).pem"
    settings.internalRPC.keyFile = "\(path)/\(certificate)-key.pem"
    settings.internalRPC.verifiesIncoming = true
    settings.internalRPC.verifiesOutgoing = true
    settings.internalRPC.verifiesServerHostname = true
    settings.internalRPC.nativeProtocols = ["consul/rpc-single", "consul/raft"]
    return settings
  }

  func security(
    _ certificate: String, _ change: (inout TLSSettings) -> Void = { _ in }
  ) throws -> TransportSecurity {
    var settings = settings(certificate)
    change(&settings.internalRPC)
    return try TransportSecurity(settings)
  }

  /// What a client without a program behind it presents; nil presents nothing.
  func client(
    _ certificate: String?, protocols: [String] = [], _ change: (inout TLSConfiguration) -> Void = { _ in }
  ) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .file("\(path)/ca.pem")
    configuration.certificateVerification = .noHostnameVerification
    configuration.applicationProtocols = protocols
    if let certificate {
      configuration.certificateChain = try NIOSSLCertificate.fromPEMFile("\(path)/\(certificate).pem")
        .map { .certificate($0) }
      configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: "\(path)/\(certificate)-key.pem", format: .pem))
    }
    change(&configuration)
    return try NIOSSLContext(configuration: configuration)
  }
}
