// Certificates: X.509 certificates as an authority makes them (RFC 5280).
//
// It owns: private keys and their PEM forms, certificate authorities and what they sign, requests to be signed. It must
// not know files, connections, or what certificates are used for; those who call it say which names and usages they want.
//
//     PrivateKey ─▶ CertificateAuthority ─ sign(CertificateTemplate) ─▶ SignedCertificate
//                                              ▲
//                           SigningRequest ────┘ names and public key of somebody else

/// Why a key or certificate could not be read or made.
public enum CertificatesError: Error, Equatable, CustomStringConvertible {
  /// A text that does not hold what it should, with the reason.
  case malformed(what: String, reason: String)
  /// The private key does not belong to the authority's certificate.
  case keyMismatch
  /// Something that is no IP address.
  case notAnAddress(String)
  /// A time that a certificate cannot carry.
  case timeOutOfRange
  /// A request whose signature is not by the key that it carries.
  case badSignature
  case signing(reason: String)

  public var description: String {
    switch self {
    case .malformed(let what, let reason): "cannot read the \(what): \(reason)"
    case .keyMismatch: "x509: provided PrivateKey doesn't match parent's PublicKey"
    case .notAnAddress(let text): "\"\(text)\" is not an IP address"
    case .timeOutOfRange: "certificates end before the year 10000"
    case .badSignature: "the request is not signed by its own key"
    case .signing(let reason): "cannot sign: \(reason)"
    }
  }
}
