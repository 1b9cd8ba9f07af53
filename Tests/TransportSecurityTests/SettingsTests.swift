import Glibc
import NIOSSL
import Testing

@testable import TransportSecurity

/// From files to what is in force.
struct SettingsTests {
  private func error(_ settings: AgentTLSSettings) -> String? {
    do {
      _ = try TransportSecurity(settings)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func withoutSettingsNothingIsSecured() throws {
    let security = try TransportSecurity(AgentTLSSettings())
    for face in TransportSecurity.Face.allCases { #expect(security.serverContext(face) == nil) }
    #expect(!security.usesTLSForRPC)
    #expect(security.certificateExpiry == nil)
  }

  @Test func theFirstCertificateThatEndsIsTold() throws {
    let folder = try Folder()
    try folder.addPair("other", from: Folder.now - 3600)
    var settings = folder.settings
    settings.https.certificateFile = "\(folder.path)/other.pem"
    settings.https.keyFile = "\(folder.path)/other-key.pem"
    #expect(try TransportSecurity(settings).certificateExpiry == Int(Folder.now - 3600 + 86400))
  }

  @Test func filesThatAreMissingOrHoldSomethingElseAreNamed() throws {
    let folder = try Folder()
    var settings = folder.settings
    settings.https.authorityFile = "/absent.pem"
    #expect(error(settings) == "Error loading from /absent.pem: open /absent.pem: no such file or directory")
    settings = folder.settings
    settings.https.authorityFile = "\(folder.path)/agent-key.pem"
    let key = "\(folder.path)/agent-key.pem"
    #expect(error(settings) == "Error loading from \(key): \(key) holds no certificate in PEM")
    settings = folder.settings
    settings.grpc.keyFile = "\(folder.path)/ca.pem"
    #expect(
      error(settings)
        == "Failed to load cert/key pair: \(folder.path)/ca.pem holds no private key in PEM, or one with a passphrase")
  }

  @Test func aKeyOfAnotherCertificateIsRefused() throws {
    let folder = try Folder()
    try folder.addPair("other")
    var settings = folder.settings
    settings.https.keyFile = "\(folder.path)/other-key.pem"
    #expect(error(settings) == "Failed to load cert/key pair: tls: private key does not match public key")
  }

  @Test func allFilesOfADirectoryAreAuthorities() throws {
    let folder = try Folder()
    mkdir("\(folder.path)/cas", 0o700)
    mkdir("\(folder.path)/cas/folder", 0o700)
    folder.write("cas/a.pem", folder.authority.certificate.pem)
    folder.write("cas/b.pem", try Folder.authority("Other").certificate.pem)
    #expect(try PEMFiles.authorities(file: "", directory: "\(folder.path)/cas")?.count == 2)
    #expect(try PEMFiles.authorities(file: "\(folder.path)/ca.pem", directory: "\(folder.path)/cas")?.count == 1)
    #expect(try PEMFiles.authorities(file: "", directory: "") == nil)
  }

  @Test func anUpdateThatFailsChangesNothing() throws {
    let folder = try Folder()
    let security = try TransportSecurity(folder.settings)
    let before = try #require(security.serverContext(.https))
    var wrong = folder.settings
    wrong.internalRPC.authorityFile = "/absent.pem"
    #expect(throws: TLSError.self) { try security.update(wrong) }
    #expect(security.serverContext(.https) === before)
    try security.update(folder.settings)
    #expect(security.serverContext(.https) !== before)
  }

  @Test func clientsVerifyWhatTheSettingsSay() throws {
    let folder = try Folder()
    var settings = folder.settings
    let security = try TransportSecurity(settings)
    #expect(security.clientConfiguration(.internalRPC).certificateVerification == .none)
    #expect(security.usesTLSForRPC)
    settings.internalRPC.verifiesOutgoing = true
    try security.update(settings)
    #expect(security.clientConfiguration(.internalRPC).certificateVerification == .noHostnameVerification)
    settings.internalRPC.verifiesServerHostname = true
    try security.update(settings)
    #expect(security.clientConfiguration(.internalRPC).certificateVerification == .fullVerification)
    #expect(security.clientConfiguration(.internalRPC).certificateChain.count == 1)
    #expect(security.checkConfiguration.certificateVerification == .fullVerification)
    #expect(security.serverHostname(datacenter: "east") == "server.east.consul")
  }

  @Test func theCertificateOfTheServersServesWhereTheAgentHasNone() throws {
    let folder = try Folder()
    let (certificate, key) = try folder.pair("automatic")
    let automatic = AutomaticCertificate(
      chain: certificate.pem, key: key.pem, authorities: [folder.authority.certificate.pem])
    var settings = AgentTLSSettings()
    let security = try TransportSecurity(settings)
    try security.setAutomaticCertificate(automatic)
    #expect(security.serverContext(.internalRPC) != nil)
    #expect(security.serverContext(.https) != nil)
    #expect(security.serverContext(.grpc) == nil)
    #expect(security.usesTLSForRPC)
    settings.grpc.usesAutomaticCertificate = true
    try security.update(settings)
    #expect(security.serverContext(.grpc) != nil)
    #expect(throws: TLSError.self) {
      try security.setAutomaticCertificate(AutomaticCertificate(chain: "", key: "", authorities: []))
    }
  }
}
