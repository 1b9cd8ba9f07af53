import AgentConfiguration
import ConsulClient
import NIOSSL
import TransportSecurity

extension RuntimeConfiguration {
  /// How this agent reaches its own API from this machine; nil without one. Over HTTPS only where there is no HTTP.
  var ownAccess: ClientConfiguration? {
    if let address = addresses.http.first { return ClientConfiguration(address: own(address, isSecure: false)) }
    guard let address = addresses.https.first else { return nil }
    var access = ClientConfiguration(address: own(address, isSecure: true))
    let it = tls.https
    func given(_ text: String) -> String? { text.isEmpty ? nil : text }
    access.tls.authorityFile = given(it.caFile)
    access.tls.authorityDirectory = given(it.caPath)
    // Without authorities, the agent trusts what it presents itself.
    if !it.hasAuthority { access.tls.authorityFile = given(it.certFile) }
    if it.hasCertificate {
      access.tls.certificateFile = it.certFile
      access.tls.keyFile = it.keyFile
    }
    // The certificate need not name the address that it is reached by here, but the agent knows whom it names.
    if let certificate = try? PEMFiles.certificates(it.certFile).first {
      access.tls.serverName = CertificateNames(certificate).dnsNames.first { !$0.contains("*") }
    }
    return access
  }

  private func own(_ address: ListenAddress, isSecure: Bool) -> AgentAddress {
    switch address {
    case .unix(let path): return AgentAddress(endpoint: .unixSocket(path), isSecure: isSecure)
    case .ip(let ip, let port):
      let host = ip.description
      // An agent that listens everywhere also listens here.
      let here = ["0.0.0.0": "127.0.0.1", "::": "::1"]
      return AgentAddress(endpoint: .host(here[host] ?? host, port: port), isSecure: isSecure)
    }
  }
}
