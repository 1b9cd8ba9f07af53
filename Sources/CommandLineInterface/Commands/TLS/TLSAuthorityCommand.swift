import Certificates

/// `consul tls ca create`: an authority of one's own.
enum TLSAuthorityCommand {
  private static let additionalConstraint = Flag.strings(
    "additional-name-constraint",
    "One more domain that certificates of this authority may name, with -name-constraint. May be given several times.")
  private static let clusterID = Flag.string(
    "cluster-id", "Id of the cluster, for an authority that carries the cluster's SPIFFE name (with -domain).")
  private static let commonName = Flag.string("common-name", "Common name of the authority.")
  private static let days = Flag.int("days", default: 1825, "For how many days from now the authority counts.")
  private static let domain = Flag.string(
    "domain", default: "consul", "DNS domain of the cluster; it also begins the names of the files.")
  private static let nameConstraint = Flag.bool(
    "name-constraint",
    "Lets the authority sign for the domain, localhost and additional constraints only. Other programs then refuse "
      + "its certificates for all other names. A UI that is reached under another name needs an additional constraint.")

  static var command: Command {
    Command(
      usage: "Usage: consul tls ca create [options]",
      about: """
        Makes a certificate authority for a cluster: <domain>-agent-ca.pem, which every agent needs, and
        <domain>-agent-ca-key.pem, with which certificates are signed and which nobody else may see.

            $ consul tls ca create
            ==> Saved consul-agent-ca.pem
            ==> Saved consul-agent-ca-key.pem
        """,
      flags: [
        additionalConstraint.any, clusterID.any, commonName.any, days.any, domain.any, nameConstraint.any,
      ],
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    try invocation.requireArguments(atMost: 0)
    let domain = invocation[domain]
    let (path, keyPath) = TLSFiles.authority(domain: domain)
    let authority: CertificateAuthority
    do {
      authority = try CertificateAuthority.root(try template(invocation), key: try PrivateKey.generate(.p256))
    } catch let error as CertificatesError {
      throw CommandFailure("failed to create the authority: \(error)")
    }
    try TLSCommands.save(
      certificate: authority.certificate.pem, to: path, key: authority.key.pem, to: keyPath, invocation.console)
    return 0
  }

  private static func template(_ invocation: Invocation) throws -> CertificateTemplate {
    let serial = CertificateSerial.random()
    let given = invocation[commonName]
    let subject = SubjectName([
      (.country, "US"), (.state, "CA"), (.locality, "San Francisco"), (.street, "101 Second Street"),
      (.postalCode, "94105"), (.organization, "HashiCorp Inc."),
      (.commonName, given.isEmpty ? "Consul Agent CA \(serial)" : given),
    ])
    var template = CertificateTemplate(
      .authority(pathLengthMax: nil), subject: subject,
      validity: try Validity(from: TLSCommands.now, days: invocation[days]),
      usages: [.digitalSignature, .certificateSigning, .revocationListSigning])
    template.serial = serial
    let domain = invocation[domain]
    if !invocation[clusterID].isEmpty { template.names.uris = ["spiffe://\(invocation[clusterID]).\(domain)"] }
    if invocation[nameConstraint] {
      template.permittedDomains = invocation[additionalConstraint] + [domain, "localhost"]
    } else if !invocation[additionalConstraint].isEmpty {
      throw CommandFailure("-additional-name-constraint needs -name-constraint")
    }
    return template
  }
}

/// How the files of an authority and of certificates are called.
enum TLSFiles {
  static func authority(domain: String) -> (certificate: String, key: String) {
    ("\(domain)-agent-ca.pem", "\(domain)-agent-ca-key.pem")
  }
}
