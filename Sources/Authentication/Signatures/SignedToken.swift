import Model

/// A token in the compact form (RFC 7515, section 7.1), taken apart; nothing in it is true before its signature was verified.
public struct SignedToken: Sendable {
  /// Bytes of a token. Those of real providers stay below a tenth of that.
  public static let sizeLimit = 128 << 10

  /// As the header has it, also if there is no such algorithm here.
  public let algorithmName: String
  public let algorithm: SignatureAlgorithm?
  /// The name of the key; "" if the token does not say.
  public let keyID: String
  public let claims: Claims
  private let signature: [UInt8]
  private let message: [UInt8]

  /// - Parameter doing: what the token is read for: the first words of an error.
  /// - Throws: `.tooLarge`, `.malformedToken`
  public init(_ text: String, doing: String) throws(AuthenticationError) {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.sizeLimit else { throw .tooLarge(what: "token", limit: Self.sizeLimit) }
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3 else {
      throw .malformedToken(doing: doing, reason: "go-jose/go-jose: compact JWS format must have three parts")
    }
    let header = try Self.object(parts[0], "header", doing)
    guard let name = header["alg"]?.string else {
      throw .malformedToken(doing: doing, reason: "go-jose/go-jose: header names no algorithm")
    }
    // Extensions that have to be understood are not: RFC 7515, section 4.1.11.
    guard header["crit"] == nil else {
      throw .malformedToken(doing: doing, reason: "go-jose/go-jose: unsupported critical header")
    }
    algorithmName = name
    algorithm = SignatureAlgorithm(rawValue: name)
    keyID = header["kid"]?.string ?? ""
    let payload = try Self.object(parts[1], "payload", doing)
    do throws(AuthenticationError) {
      claims = try Claims(payload)
    } catch {
      throw .malformedToken(doing: doing, reason: error.description)
    }
    guard let signature = Base64URL.decode(parts[2]) else {
      throw .malformedToken(doing: doing, reason: "go-jose/go-jose: signature is not base64")
    }
    self.signature = signature
    message = Array(bytes[..<parts[1].endIndex])
  }

  private static func object(
    _ part: ArraySlice<UInt8>, _ what: String, _ doing: String
  ) throws(AuthenticationError) -> DynamicObject {
    guard let json = Base64URL.decode(part) else {
      throw .malformedToken(doing: doing, reason: "go-jose/go-jose: \(what) is not base64")
    }
    do throws(JSONError) {
      if case .object(let members) = try Dynamic(json: json) { return members }
    } catch {
      throw .malformedToken(doing: doing, reason: "go-jose/go-jose: \(what): \(error)")
    }
    throw .malformedToken(doing: doing, reason: "go-jose/go-jose: \(what) is not an object")
  }

  func isSigned(by key: VerificationKey) -> Bool {
    guard let algorithm else { return false }
    return key.verifies(signature, of: message, by: algorithm)
  }
}
