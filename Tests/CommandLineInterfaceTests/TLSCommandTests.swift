import Certificates
import ConsulClient
import Glibc
import Testing

@testable import CommandLineInterface

/// `consul tls`: which files it makes, and what stands in them.
final class TLSCommandTests {
  private let folder: String

  init() {
    var template = Array("/tmp/tls-commands-XXXXXX".utf8CString)
    folder = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? ""
    }
  }

  deinit {
    for name in (try? FileReader.list(folder)) ?? [] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try FileReader.read("\(folder)/\(name)"), as: UTF8.self)
  }

  /// The domain begins the names of the files, so it also says where they go.
  private func makeAuthority(_ flags: String...) async -> (code: Int32, out: String, err: String) {
    let captured = CapturedConsole()
    let code = await CommandLineInterface.run(
      arguments: ["tls", "ca", "create", "-domain=\(folder)/x"] + flags, environment: Environment([:]),
      console: captured.console)
    return (code, captured.out, captured.err)
  }

  private func makeCertificate(_ flags: String...) async -> (code: Int32, out: String, err: String) {
    let captured = CapturedConsole()
    let authority = ["-ca=\(folder)/x-agent-ca.pem", "-key=\(folder)/x-agent-ca-key.pem"]
    let code = await CommandLineInterface.run(
      arguments: ["tls", "cert", "create"] + authority + flags + ["\(folder)/web"], environment: Environment([:]),
      console: captured.console)
    return (code, captured.out, captured.err)
  }

  @Test("An authority is a certificate for all and a key for its owner, and is never replaced")
  func authority() async throws {
    let made = await makeAuthority("-days=2")
    #expect(made.code == 0)
    #expect(made.out == "==> Saved \(folder)/x-agent-ca.pem\n==> Saved \(folder)/x-agent-ca-key.pem\n")
    let certificate = try SignedCertificate(pem: text("x-agent-ca.pem"))
    #expect(certificate.isAuthority)
    #expect(certificate.notAfter - certificate.notBefore == 2 * 86400)
    var found = stat()
    #expect(stat("\(folder)/x-agent-ca-key.pem", &found) == 0)
    #expect(found.st_mode & 0o777 == 0o600)
    let again = await makeAuthority()
    #expect(again.code == 1)
    #expect(again.err == "\(folder)/x-agent-ca.pem already exists.\n")
  }

  @Test("Certificates are numbered and carry the names of their holder")
  func certificates() async throws {
    _ = await makeAuthority()
    let first = await makeCertificate("-server", "-node=n1", "-dc=east", "-additional-ipaddress=10.1.2.3")
    #expect(first.code == 0, "\(first.err)")
    #expect(first.out.hasPrefix("==> WARNING: Server Certificates grants authority to become a\n"))
    #expect(first.out.hasSuffix("==> Saved \(folder)/web-0.pem\n==> Saved \(folder)/web-0-key.pem\n"))
    let second = await makeCertificate("-cli")
    #expect(second.out.hasSuffix("==> Saved \(folder)/web-1.pem\n==> Saved \(folder)/web-1-key.pem\n"))
    let authority = try SignedCertificate(pem: text("x-agent-ca.pem"))
    let server = try SignedCertificate(pem: text("web-0.pem"))
    #expect(server.isSigned(by: authority))
    #expect(server.names.dnsNames == ["n1.server.east.consul", "server.east.consul", "localhost"])
    #expect(server.names.addresses == ["10.1.2.3", "127.0.0.1"])
    #expect(try PrivateKey(pem: text("web-0-key.pem")).publicKey == server.publicKey)
    #expect(try SignedCertificate(pem: text("web-1.pem")).names.addresses.isEmpty)
  }

  @Test("What makes no sense is refused before a file is written")
  func refusals() async throws {
    _ = await makeAuthority()
    #expect(await makeCertificate().err == "Please provide either -server, -client, or -cli\n")
    #expect(await makeCertificate("-client", "-node=n1").err == "-node requires -server\n")
    #expect(await makeCertificate("-server", "-ca=").err == "Please provide the ca\n")
    #expect(
      await makeCertificate("-client", "-additional-ipaddress=10.1").err
        == "failed to create certificate: \"10.1\" is not an IP address\n")
    #expect(await makeCertificate("-client", "-days=99999999").code == 1)
    #expect(
      await makeCertificate("-client", "-key=\(folder)/absent").err
        == "Error reading CA key: open \(folder)/absent: no such file or directory\n")
    #expect(try FileReader.list(folder).count == 2)
  }
}
