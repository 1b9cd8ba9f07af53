import Model

/// # Authentication
///
/// Whom a workload or a person is vouched for by somebody else: signed tokens (JWT, RFC 7519) and the keys that they are held
/// against, the types of auth methods with their settings, and what binding rules make of an identity. Pure: what has to be
/// asked of an identity provider comes out as a value (`Progress.ask`) and the answer goes in as one; time and randomness are
/// passed in. The room must not know sockets, the state of the cluster or how tokens of the cluster are made.

/// Why an auth method, a binding rule or a login was refused. The texts are the reference's where it has one.
public enum AuthenticationError: Error, Equatable, CustomStringConvertible {
  /// A type of auth method that there is none of.
  case unknownType
  /// Settings that the type does not have, or whose values have the wrong type; one text each.
  case undecodable([String])
  /// A setting that breaks a rule.
  case setting(String)
  /// Something that was presented is larger than any honest one.
  case tooLarge(what: String, limit: Int)
  /// Nothing was presented.
  case missingToken
  /// What was presented is no signed token; what was being done, and why.
  case malformedToken(doing: String, reason: String)
  /// No key that is trusted made the signature.
  case signature(doing: String)
  /// A claim does not say what it has to say.
  case claim(String)
  /// An identity provider could not be asked, refused, or answered nonsense.
  case provider(String)
  /// A selector, name or variable of a binding rule.
  case rule(String)
  /// A login in the browser that was never begun, took too long, or was begun by somebody else.
  case unknownLogin(String)

  public var description: String {
    switch self {
    case .unknownType: "Type should be one of: [\(AuthMethod.typeNames.joined(separator: " "))]"
    case .undecodable(let problems):
      "error decoding config: \(problems.count) error(s) decoding:\n\n"
        + problems.map { "* \($0)" }.joined(separator: "\n")
    case .setting(let text), .claim(let text), .provider(let text), .rule(let text), .unknownLogin(let text): text
    case .missingToken: "missing jwt"
    case .tooLarge(let what, let limit): "\(what) exceeds the limit of \(limit) bytes"
    case .malformedToken(let doing, let reason): "\(doing): \(reason)"
    case .signature(let doing): doing
    }
  }
}
