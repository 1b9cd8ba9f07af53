import Certificates
import ConsulClient
import Glibc

/// `consul tls cert create`: a certificate for a server, a client or the command line.
enum TLSCertificateCommand {
  private enum Holder: String {
    case server, client, cli
  }

  private static let additionalName = Flag.strings(
    "additional-dnsname",
    "One more DNS name for the certificate; localhost is always among them. May be given several times.")
  private static let additionalAddress = Flag.strings(
    "additional-ipaddress",
    "One more IP address for the certificate; servers and clients always have 127.0.0.1. May be given several times.")
  private static let authority = Flag.string(
    "ca", default: "#DOMAIN#-agent-ca.pem", "File with the authority's certificate.")
  private static let authorityKey = Flag.string(
    "key", default: "#DOMAIN#-agent-ca-key.pem", "File with the authority's private key.")
  private static let cli = Flag.bool("cli", "Make a certificate for the command line.")
  private static let client = Flag.bool("client", "Make a certificate for a client agent.")
  private static let datacenter = Flag.string("dc", default: "dc1", "Datacenter of the agent.")
  private static let days = Flag.int("days", default: 365, "For how many days from now the certificate counts.")
  private static let domain = Flag.string("domain", default: "consul", "DNS domain of the cluster.")
  private static let node = Flag.string(
    "node", "Node name of the server, which is then among its names: <node>.server.<datacenter>.<domain>.")
  private static let server = Flag.bool("server", "Make a certificate for a server.")

  static var command: Command {
    Command(
      usage: "Usage: consul tls cert create [filename-prefix] [options]",
      about: """
        Makes a certificate and its private key, signed by the authority that "consul tls ca create" made. The files are
        numbered: <dc>-server-<domain>-0.pem, <dc>-server-<domain>-0-key.pem and so on.

            $ consul tls cert create -server
            $ consul tls cert create -client
            $ consul tls cert create -cli

        Whoever has a server's certificate can become a server, with all that a server may see.
        """,
      flags: [
        additionalName.any, additionalAddress.any, authority.any, authorityKey.any, cli.any, client.any, datacenter.any,
        days.any, domain.any, node.any, server.any,
      ],
      run: run)
  }

  private static let serverWarning = """
    ==> WARNING: Server Certificates grants authority to become a
        server and access all state in the cluster including root keys
        and all ACL tokens. Do not distribute them to production hosts
        that are not server nodes. Store them as securely as CA keys.
    """

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    try invocation.requireArguments(atMost: 1)
    let holder = try holder(invocation)
    let (path, keyPath) = try authorityPaths(invocation)
    let (certificate, key) = (try read(path, as: "CA"), try read(keyPath, as: "CA key"))
    if holder == .server { invocation.console.out(serverWarning) }
    invocation.console.out("==> Using \(path) and \(keyPath)")
    let made: (SignedCertificate, PrivateKey)
    do {
      let authority = try CertificateAuthority(SignedCertificate(pem: certificate), key: PrivateKey(pem: key))
      let key = try PrivateKey.generate(.p256)
      made = (try authority.sign(try template(holder, invocation), for: key.publicKey), key)
    } catch let error as CertificatesError {
      throw CommandFailure("failed to create certificate: \(error)")
    }
    let prefix = invocation.arguments.first ?? prefix(holder, invocation)
    let name = freeName(prefix)
    try TLSCommands.save(
      certificate: made.0.pem, to: "\(name).pem", key: made.1.pem, to: "\(name)-key.pem", invocation.console)
    return 0
  }

  private static func holder(_ invocation: Invocation) throws -> Holder {
    let wanted: [Holder] =
      (invocation[server] ? [.server] : []) + (invocation[client] ? [.client] : []) + (invocation[cli] ? [.cli] : [])
    guard wanted.count == 1, let holder = wanted.first else {
      throw CommandFailure("Please provide either -server, -client, or -cli")
    }
    if !invocation[node].isEmpty, holder != .server { throw CommandFailure("-node requires -server") }
    return holder
  }

  private static func authorityPaths(_ invocation: Invocation) throws -> (String, String) {
    guard !invocation[authority].isEmpty else { throw CommandFailure("Please provide the ca") }
    guard !invocation[authorityKey].isEmpty else { throw CommandFailure("Please provide the key") }
    func path(_ pattern: String) -> String {
      let parts = pattern.split(separator: "#DOMAIN#", omittingEmptySubsequences: false)
      return parts.joined(separator: invocation[domain])
    }
    return (path(invocation[authority]), path(invocation[authorityKey]))
  }

  private static func read(_ path: String, as what: String) throws -> String {
    do {
      return String(decoding: try FileReader.read(path), as: UTF8.self)
    } catch {
      throw CommandFailure("Error reading \(what): \(error)")
    }
  }

  private static func template(_ holder: Holder, _ invocation: Invocation) throws -> CertificateTemplate {
    let name = "\(holder.rawValue).\(invocation[datacenter]).\(invocation[domain])"
    var template = CertificateTemplate(
      .leaf, subject: SubjectName(commonName: name),
      validity: try Validity(from: TLSCommands.now, days: invocation[days]),
      usages: [.digitalSignature, .keyEncipherment])
    template.names.dnsNames = invocation[additionalName].map(\.trimmed)
    if !invocation[node].isEmpty { template.names.dnsNames.append("\(invocation[node]).\(name)") }
    template.names.dnsNames += [name, "localhost"]
    template.names.addresses = invocation[additionalAddress].map(\.trimmed)
    switch holder {
    case .server:
      template.names.addresses.append("127.0.0.1")
      template.extendedUsages = [.serverAuthentication, .clientAuthentication]
    case .client:
      template.names.addresses.append("127.0.0.1")
      template.extendedUsages = [.clientAuthentication, .serverAuthentication]
    case .cli: break
    }
    return template
  }

  private static func prefix(_ holder: Holder, _ invocation: Invocation) -> String {
    "\(invocation[datacenter])-\(holder.rawValue)-\(invocation[domain])"
  }

  /// The first number of which there is neither a certificate nor a key.
  private static func freeName(_ prefix: String) -> String {
    var number = 0
    while access("\(prefix)-\(number).pem", F_OK) == 0 || access("\(prefix)-\(number)-key.pem", F_OK) == 0 {
      number += 1
    }
    return "\(prefix)-\(number)"
  }
}
