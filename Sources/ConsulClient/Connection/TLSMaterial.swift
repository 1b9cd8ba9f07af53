import NIOSSL

extension ClientConfiguration.TLS {
  /// The settings as the TLS library takes them; every file is read now, so that a wrong path is told before anything
  /// is sent.
  func load() throws(ClientError) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.certificateVerification = verifies ? .fullVerification : .none
    if let authorities = try loadAuthorities() {
      configuration.trustRoots = .certificates(authorities)
    }
    switch (certificateFile, keyFile) {
    case (let certificateFile?, let keyFile?):
      let certificates = try Self.certificates(in: certificateFile)
      guard !certificates.isEmpty else { throw .configuration("no certificate found in \(certificateFile)") }
      configuration.certificateChain = certificates.map { .certificate($0) }
      configuration.privateKey = .privateKey(try Self.privateKey(in: keyFile))
    case (nil, nil): break
    default: throw .configuration("both client cert and client key must be provided")
    }
    return configuration
  }

  private func loadAuthorities() throws(ClientError) -> [NIOSSLCertificate]? {
    if let authorityFile {
      do {
        return try Self.certificates(in: authorityFile)
      } catch {
        throw .configuration("Error loading CA File: \(error)")
      }
    }
    guard let authorityDirectory else { return nil }
    do {
      var authorities: [NIOSSLCertificate] = []
      for name in try FileReader.list(authorityDirectory) {
        authorities += try Self.certificates(in: authorityDirectory + "/" + name)
      }
      return authorities
    } catch let error as FileError {
      throw .configuration("Error loading CA Path: \(error)")
    } catch let error as ClientError {
      throw .configuration("Error loading CA Path: \(error)")
    } catch {
      throw .configuration("Error loading CA Path: \(error)")
    }
  }

  private static func certificates(in path: String) throws(ClientError) -> [NIOSSLCertificate] {
    let pem = try bytes(of: path)
    guard let certificates = try? NIOSSLCertificate.fromPEMBytes(pem) else {
      throw .configuration("failed to read certificates from \(path)")
    }
    return certificates
  }

  private static func privateKey(in path: String) throws(ClientError) -> NIOSSLPrivateKey {
    let pem = try bytes(of: path)
    guard let key = try? NIOSSLPrivateKey(bytes: pem, format: .pem) else {
      throw .configuration("failed to read a private key from \(path)")
    }
    return key
  }

  private static func bytes(of path: String) throws(ClientError) -> [UInt8] {
    do {
      return try FileReader.read(path)
    } catch {
      throw .configuration(error.description)
    }
  }
}
