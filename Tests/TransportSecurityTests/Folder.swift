import Certificates
import Glibc
import NIOSSL

@testable import TransportSecurity

/// A directory with an authority and certificates, gone when the test is over.
final class Folder {
  let path: String
  let authority: CertificateAuthority

  init() throws {
    var template = Array("/tmp/transport-security-XXXXXX".utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? ""
    }
    authority = try Self.authority("CA")
    write("ca.pem", authority.certificate.pem)
    try addPair("agent")
  }

  deinit {
    for name in ["ca.pem", "agent.pem", "agent-key.pem", "other.pem", "other-key.pem", "cas/a.pem", "cas/b.pem"] {
      unlink("\(path)/\(name)")
    }
    rmdir("\(path)/cas/folder")
    rmdir("\(path)/cas")
    rmdir(path)
  }

  static let now = Int64(time(nil))

  static func authority(_ name: String) throws -> CertificateAuthority {
    let template = CertificateTemplate(
      .authority(pathLengthMax: nil), subject: SubjectName(commonName: name),
      validity: try Validity(from: now - 60, days: 10), usages: [.digitalSignature, .certificateSigning])
    return try CertificateAuthority.root(template, key: try PrivateKey.generate(.p256))
  }

  func write(_ name: String, _ text: String) {
    guard let file = fopen("\(path)/\(name)", "w") else { return }
    fputs(text, file)
    fclose(file)
  }

  /// A certificate of the authority, with its key.
  func pair(
    _ name: String, by authority: CertificateAuthority? = nil, from: Int64 = now - 60
  ) throws -> (SignedCertificate, PrivateKey) {
    var template = CertificateTemplate(
      .leaf, subject: SubjectName(commonName: name), validity: try Validity(from: from, days: 1),
      usages: [.digitalSignature])
    template.names = AlternativeNames(dnsNames: ["\(name).test"])
    template.extendedUsages = [.serverAuthentication, .clientAuthentication]
    let key = try PrivateKey.generate(.p256)
    return (try (authority ?? self.authority).sign(template, for: key.publicKey), key)
  }

  func addPair(_ name: String, from: Int64 = now - 60) throws {
    let (certificate, key) = try pair(name, from: from)
    write("\(name).pem", certificate.pem)
    write("\(name)-key.pem", key.pem)
  }

  /// Settings with all files in place, for all faces.
  var settings: AgentTLSSettings {
    var settings = AgentTLSSettings()
    settings.https.authorityFile = "\(path)/ca.pem"
    settings.https.certificateFile = "\(path)/agent.pem"
    settings.https.keyFile = "\(path)/agent-key.pem"
    settings.grpc = settings.https
    settings.internalRPC = settings.https
    return settings
  }
}
