/// How a token may be signed (RFC 7518, section 3.1; RFC 8037). Only with keys that come in pairs: `none` and the algorithms
/// with a shared secret do not exist here, so that nobody can pass a public key off as such a secret.
public enum SignatureAlgorithm: String, Sendable, CaseIterable {
  case rs256 = "RS256"
  case rs384 = "RS384"
  case rs512 = "RS512"
  case es256 = "ES256"
  case es384 = "ES384"
  case es512 = "ES512"
  case ps256 = "PS256"
  case ps384 = "PS384"
  case ps512 = "PS512"
  case edDSA = "EdDSA"

  /// - Throws: `AuthenticationError.setting` for a name that stands for none.
  static func list(_ names: [String]) throws(AuthenticationError) -> [SignatureAlgorithm] {
    var list: [SignatureAlgorithm] = []
    for name in names {
      guard let algorithm = SignatureAlgorithm(rawValue: name) else {
        throw .setting("Invalid supported algorithm: \(name)")
      }
      list.append(algorithm)
    }
    return list
  }
}
