import NIOSSL
import TransportSecurity

extension ClientConfiguration.TLS {
  /// The settings as the TLS library takes them; every file is read now, so that a wrong path is told before anything
  /// is sent. The name of the agent is not the library's to check: `ServerNameCheck` does, and says what is wrong.
  func load() throws(ClientError) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.certificateVerification = verifies ? .noHostnameVerification : .none
    if let authorities = try loadAuthorities() {
      configuration.trustRoots = .certificates(authorities)
    }
    switch (certificateFile, keyFile) {
    case (let certificateFile?, let keyFile?):
      do {
        configuration.certificateChain = try PEMFiles.certificates(certificateFile).map { .certificate($0) }
        configuration.privateKey = .privateKey(try PEMFiles.privateKey(keyFile))
      } catch {
        throw .configuration(error.description)
      }
    case (nil, nil): break
    default: throw .configuration("both client cert and client key must be provided")
    }
    return configuration
  }

  private func loadAuthorities() throws(ClientError) -> [NIOSSLCertificate]? {
    do {
      return try PEMFiles.authorities(file: authorityFile ?? "", directory: authorityDirectory ?? "")
    } catch {
      throw .configuration("Error loading CA \(authorityFile == nil ? "Path" : "File"): \(error)")
    }
  }
}
