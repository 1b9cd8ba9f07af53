import Model

/// An auth method with its settings read: what it takes to find out who somebody is.
public enum AuthMethod: Sendable {
  case jwt(JWTMethod)
  case oidc(OIDCMethod)
  case kubernetes(KubernetesMethod)
  case aws(AWSMethod)

  static let typeNames = ["aws-iam", "jwt", "kubernetes", "oidc"]

  /// - Throws: `AuthenticationError` for an unknown type and settings that break a rule.
  public init(_ record: ACLAuthMethod) throws(AuthenticationError) {
    switch record.type {
    case "jwt": self = .jwt(try JWTMethod(record.config))
    case "oidc": self = .oidc(try OIDCMethod(record.config))
    case "kubernetes": self = .kubernetes(try KubernetesMethod(record.config))
    case "aws-iam": self = .aws(try AWSMethod(record.config))
    default: throw .unknownType
    }
  }

  /// Whether what the settings name is there: asked before a method is stored.
  public func verifySettings() -> Progress<Void> {
    switch self {
    case .jwt(let method): method.verifySettings()
    case .oidc(let method): method.verifySettings()
    case .kubernetes, .aws: .done(())
    }
  }

  /// Finds out who presents a bearer token.
  ///
  /// - Parameters:
  ///   - memory: what was learned of the provider before.
  ///   - now: the wall clock.
  public func identify(_ bearerToken: String, _ memory: ProviderMemory, now: Timestamp) -> Progress<Identity> {
    switch self {
    case .jwt(let method): method.identify(bearerToken, memory, now: now)
    case .kubernetes(let method): method.identify(bearerToken)
    case .aws(let method): method.identify(bearerToken)
    case .oidc:
      .failed(.setting("auth method type \"oidc\" requires a login in the browser, without a bearer token"))
    }
  }

  /// What any identity of this method looks like: for checking rules before anybody logs in.
  public var template: Identity {
    switch self {
    case .jwt(let method): .claims(method.template)
    case .oidc(let method): .claims(method.template)
    case .kubernetes: .serviceAccount(ServiceAccountAttributes())
    case .aws(let method): .aws(method.template)
    }
  }
}

/// Certificates of authorities in PEM text.
enum AuthorityText {
  static func isValid(_ pem: String) -> Bool {
    (try? PEMCertificates.parse(pem)).map { !$0.isEmpty } ?? false
  }
}
