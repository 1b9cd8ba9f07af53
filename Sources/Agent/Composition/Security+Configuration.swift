import AgentConfiguration
import Checks
import Server
import TransportSecurity

// What the configuration says about TLS, as those take it who use it.

extension AgentTLSSettings {
  init(_ configuration: RuntimeConfiguration) {
    self.init()
    https = TLSSettings(configuration.tls.https)
    grpc = TLSSettings(configuration.tls.grpc)
    internalRPC = TLSSettings(configuration.tls.internalRPC)
    internalRPC.awaitsAutomaticCertificate = configuration.autoEncrypt.tls || configuration.autoConfig.enabled
    internalRPC.trustsFirstServer = configuration.autoEncrypt.tls
    internalRPC.nativeProtocols = ServerProtocols.applicationProtocols
    domain = configuration.dns.domain
  }
}

extension TLSSettings {
  init(_ interface: RuntimeConfiguration.TLS.Interface) {
    self.init()
    authorityFile = interface.caFile
    authorityDirectory = interface.caPath
    certificateFile = interface.certFile
    keyFile = interface.keyFile
    minimumVersion =
      switch interface.minVersion {
      case .tls10: .tls10
      case .tls11: .tls11
      case .automatic, .tls12: .tls12
      case .tls13: .tls13
      }
    cipherSuites = interface.cipherSuites
    verifiesIncoming = interface.verifyIncoming
    verifiesOutgoing = interface.verifyOutgoing
    verifiesServerHostname = interface.verifyServerHostname
    usesAutomaticCertificate = interface.useAutomaticCertificate
  }
}

extension RuntimeConfiguration {
  /// What the agent lends to checks; nil unless `enable_agent_tls_for_checks` is set.
  func checkTLS(_ security: TransportSecurity) -> AgentTLS? {
    guard checkSettings.enableAgentTLS else { return nil }
    return AgentTLS(security.checkConfiguration, serverName: tls.serverName.isEmpty ? nodeName : tls.serverName)
  }

  /// Faces that listen for TLS although there is nothing to present, by the name of their port.
  func portsWithoutCertificate(_ security: TransportSecurity) -> [String] {
    addresses.https.isEmpty || security.serverContext(.https) != nil ? [] : ["https"]
  }
}
