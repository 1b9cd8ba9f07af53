/// Why TLS settings cannot be put into force.
public enum TLSError: Error, Equatable, CustomStringConvertible {
  public enum Problem: Equatable, Sendable, CustomStringConvertible {
    case file(PEMFileError)
    case keyMismatch
    /// A certificate or key that was handed over, not read from a file.
    case malformed

    public var description: String {
      switch self {
      case .file(let error): error.description
      case .keyMismatch: "tls: private key does not match public key"
      case .malformed: "tls: failed to find any PEM data in certificate input"
      }
    }
  }

  case authority(path: String, PEMFileError)
  case certificate(Problem)
  case unusable(face: TransportSecurity.Face, reason: String)

  public var description: String {
    switch self {
    case .authority(let path, let error): "Error loading from \(path): \(error)"
    case .certificate(let problem): "Failed to load cert/key pair: \(problem)"
    case .unusable(let face, let reason): "tls.\(face.rawValue) cannot be used: \(reason)"
    }
  }
}

/// Why a file of certificates or keys cannot be used.
public enum PEMFileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A call of the system failed with this `errno`.
  case system(operation: String, path: String, code: Int32)
  case tooLarge(path: String, limit: Int)
  case noCertificate(path: String)
  case noKey(path: String)

  public var description: String {
    switch self {
    case .system(let operation, let path, let code): "\(operation) \(path): \(systemText(code))"
    case .tooLarge(let path, let limit): "\(path) has more than \(limit) bytes"
    case .noCertificate(let path): "\(path) holds no certificate in PEM"
    case .noKey(let path): "\(path) holds no private key in PEM, or one with a passphrase"
    }
  }
}
