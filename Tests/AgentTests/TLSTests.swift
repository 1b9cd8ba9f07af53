import Certificates
import ConsulClient
import Foundation
import Testing

/// TLS of the real binary.
@Suite struct TLSTests {
  private static let address = "127.83.10.1"

  private func authority(_ name: String) throws -> CertificateAuthority {
    let template = CertificateTemplate(
      .authority(pathLengthMax: nil), subject: SubjectName(commonName: name),
      validity: try Validity(from: Int64(Date().timeIntervalSince1970) - 60, days: 10), usages: [.certificateSigning])
    return try CertificateAuthority.root(template, key: try PrivateKey.generate(.p256))
  }

  /// Writes the files of an agent whose certificate is signed by that authority.
  private func write(_ authority: CertificateAuthority, to folder: String) throws {
    var template = CertificateTemplate(
      .leaf, subject: SubjectName(commonName: "agent"),
      validity: try Validity(from: Int64(Date().timeIntervalSince1970) - 60, days: 1), usages: [.digitalSignature])
    template.names = AlternativeNames(addresses: [Self.address])
    let key = try PrivateKey.generate(.p256)
    let certificate = try authority.sign(template, for: key.publicKey)
    try certificate.pem.write(toFile: "\(folder)/agent.pem", atomically: true, encoding: .utf8)
    try key.pem.write(toFile: "\(folder)/agent-key.pem", atomically: true, encoding: .utf8)
  }

  private func client(_ authority: CertificateAuthority, _ folder: String) throws -> ConsulClient {
    let path = "\(folder)/\(UUID().uuidString).pem"
    try authority.certificate.pem.write(toFile: path, atomically: true, encoding: .utf8)
    var configuration = ClientConfiguration(address: try AgentAddress(parsing: "https://\(Self.address):8501"))
    configuration.tls.authorityFile = path
    return try ConsulClient(configuration)
  }

  @Test(.timeLimit(.minutes(1))) func aReloadPutsNewCertificatesIntoForceForNewConnections() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/tls-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (old, new) = (try authority("old"), try authority("new"))
    try write(old, to: folder)
    try """
    {"ports": {"https": 8501, "http": -1, "dns": -1, "grpc": -1, "grpc_tls": -1},
     "tls": {"https": {"cert_file": "\(folder)/agent.pem", "key_file": "\(folder)/agent-key.pem"}}}
    """.write(toFile: "\(folder)/agent.json", atomically: true, encoding: .utf8)
    let agent = try AgentProcess(
      arguments: [
        "agent", "-dev", "-client=\(Self.address)", "-bind=\(Self.address)", "-config-file=\(folder)/agent.json",
      ], log: "\(folder)/log")
    defer {
      agent.kill()
      agent.waitUntilGone()
    }
    let early = try client(old, folder)
    while true {
      try agent.requireAlive()
      if let leader = try? await early.status.leader(), !leader.isEmpty { break }
      usleep(2000)
    }
    try write(new, to: folder)
    try await early.perform(APIRequest("PUT", "/v1/agent/reload"))
    let (late, stranger) = (try client(new, folder), try client(old, folder))
    #expect(try await late.status.leader().isEmpty == false)
    await #expect(throws: ClientError.self) { try await stranger.status.leader() }
    // The connection that was open before stays as it is.
    #expect(try await early.status.leader().isEmpty == false)

    // A pair that does not fit together changes nothing, and the agent says why.
    try PrivateKey.generate(.p256).pem.write(toFile: "\(folder)/agent-key.pem", atomically: true, encoding: .utf8)
    let error = await #expect(throws: ClientError.self) {
      try await late.perform(APIRequest("PUT", "/v1/agent/reload"))
    }
    #expect(error?.description.contains("tls: private key does not match public key") == true, "\(error as Any)")
    let again = try client(new, folder)
    #expect(try await again.status.leader().isEmpty == false)
    for client in [early, late, stranger, again] { await client.shutdown() }
  }
}
