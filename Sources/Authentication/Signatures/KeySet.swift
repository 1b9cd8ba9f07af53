import Model

/// The keys that an issuer signs with (RFC 7517, section 5).
public struct KeySet: Sendable {
  /// Bytes of a key set, and keys in it: far above what issuers publish.
  public static let sizeLimit = 1 << 20
  public static let countLimit = 256

  struct Entry: Sendable {
    /// "" for a key without a name.
    var id: String
    /// The only algorithm that the issuer uses the key with, where it says so.
    var algorithm: SignatureAlgorithm?
    var key: VerificationKey
  }

  private(set) var entries: [Entry]

  /// Keys without names, such as those in the settings of an auth method.
  public init(_ keys: [VerificationKey]) { entries = keys.map { Entry(id: "", algorithm: nil, key: $0) } }

  /// Keys of other kinds, for encryption or in another form are left out.
  ///
  /// - Throws: `.tooLarge`, `.provider` for text that is no key set.
  public init(json: [UInt8]) throws(AuthenticationError) {
    guard json.count <= Self.sizeLimit else { throw .tooLarge(what: "key set", limit: Self.sizeLimit) }
    let document: Dynamic
    do throws(JSONError) {
      document = try Dynamic(json: json)
    } catch {
      throw .provider("oidc: failed to decode keys: \(error)")
    }
    guard let keys = document["keys"]?.array else { throw .provider("oidc: failed to decode keys: no \"keys\" list") }
    guard keys.count <= Self.countLimit else { throw .provider("oidc: more than \(Self.countLimit) keys") }
    entries = keys.compactMap { element in
      guard let members = element.object, members["use"]?.string ?? "sig" == "sig",
        let key = VerificationKey(jwk: members)
      else { return nil }
      let algorithm = members["alg"]?.string
      let known = algorithm.flatMap { SignatureAlgorithm(rawValue: $0) }
      if algorithm != nil, known == nil { return nil }
      return Entry(id: members["kid"]?.string ?? "", algorithm: known, key: key)
    }
  }

  /// How many keys can be used.
  public var count: Int { entries.count }

  /// Whether one of the keys made the signature. A token that names its key is held against keys of that name and against
  /// those without one.
  func verifies(_ token: SignedToken) -> Bool {
    entries.contains { entry in
      guard token.keyID.isEmpty || entry.id.isEmpty || entry.id == token.keyID else { return false }
      guard entry.algorithm == nil || entry.algorithm == token.algorithm else { return false }
      return token.isSigned(by: entry.key)
    }
  }
}
