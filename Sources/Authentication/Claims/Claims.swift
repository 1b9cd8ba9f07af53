import Model

/// What a token says of its bearer (RFC 7519, section 4).
public struct Claims: Sendable {
  public private(set) var members: DynamicObject
  public let issuer: String?
  /// Whom the token is meant for; one or several.
  public let audience: [String]
  /// Seconds since 1970.
  public let expiration: Double?
  public let notBefore: Double?
  public let issuedAt: Double?

  /// - Throws: `AuthenticationError.claim` for registered claims of the wrong type.
  public init(_ members: DynamicObject) throws(AuthenticationError) {
    self.members = members
    issuer = try Self.text("iss", members)
    switch members["aud"] {
    case nil, .null: audience = []
    case .string(let one): audience = [one]
    case .array(let several):
      let texts = several.compactMap(\.string)
      guard texts.count == several.count else { throw .claim("aud claim is not a list of strings") }
      audience = texts
    default: throw .claim("aud claim is neither a string nor a list of strings")
    }
    expiration = try Self.time("exp", members)
    notBefore = try Self.time("nbf", members)
    issuedAt = try Self.time("iat", members)
  }

  private static func text(_ name: String, _ members: DynamicObject) throws(AuthenticationError) -> String? {
    switch members[name] {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw .claim("\(name) claim is not a string")
    }
  }

  private static func time(_ name: String, _ members: DynamicObject) throws(AuthenticationError) -> Double? {
    switch members[name] {
    case nil, .null: return nil
    case .int(let seconds): return Double(seconds)
    case .uint(let seconds): return Double(seconds)
    case .double(let seconds) where seconds.isFinite: return seconds
    default: throw .claim("\(name) claim is not a number of seconds")
    }
  }

  /// Adds what another source says of the same bearer; what is there stays.
  mutating func add(_ more: DynamicObject) {
    for (key, value) in more where members[key] == nil { members.append(key, value) }
  }
}
