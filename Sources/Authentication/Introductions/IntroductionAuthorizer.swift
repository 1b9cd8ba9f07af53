import Model

/// Decides whether an agent that is new to the cluster may have what it asks for: a signed token introduces it
/// (`auto_config.authorization.static`), and assertions compare what that token says with what the agent wants to be.
public struct IntroductionAuthorizer: Sendable {
  /// What the agent asks for, under the names that assertions use (`${node}`).
  public struct Wanted: Sendable, Equatable {
    public var node: String
    public var segment: String
    public var partition: String

    public init(node: String, segment: String = "", partition: String = "") {
      self.node = node
      self.segment = segment
      self.partition = partition
    }

    fileprivate var variables: [String: String] { ["node": node, "segment": segment, "partition": partition] }
  }

  private let method: JWTMethod
  private let assertions: [Interpolation]
  private let memory = ProviderMemory()

  /// - Parameters:
  ///   - settings: those of an auth method of type `jwt`.
  ///   - assertions: filters over the claims, each of which has to match.
  /// - Throws: `AuthenticationError.setting` or `.undecodable` for settings and filters that cannot be used.
  public init(_ settings: DynamicMap, assertions: [String]) throws(AuthenticationError) {
    method = try JWTMethod(settings)
    var parsed: [Interpolation] = []
    for text in assertions {
      let assertion: Interpolation
      let filter: String
      do throws(Interpolation.Problem) {
        assertion = try Interpolation(text)
        // Tried with an agent that has fitting names: what fails then is wrong for all.
        let example = Wanted(node: "fake", segment: "fake", partition: "fake")
        filter = try assertion.text(InterpolationNames(variables: example.variables))
      } catch {
        throw Self.invalid(text, "\(error)")
      }
      if let problem = Self.problem(of: filter, method.template) { throw Self.invalid(text, problem) }
      parsed.append(assertion)
    }
    self.assertions = parsed
  }

  private static func problem(of filter: String, _ template: ClaimAttributes) -> String? {
    do throws(FilterError) {
      _ = try Filter<ClaimAttributes>(filter).matches(template)
      return nil
    } catch {
      return error.detail
    }
  }

  private static func invalid(_ text: String, _ reason: String) -> AuthenticationError {
    .setting("auto_config.authorization.static.claim_assertion \(text.goQuoted) is invalid: \(reason)")
  }

  /// Whether a name can stand in an assertion without becoming part of its syntax, and in a certificate.
  public static func isValidName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 255
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// Succeeds for an agent that may have what it wants.
  ///
  /// - Parameter now: the wall clock.
  public func authorize(_ introduction: String, _ wanted: Wanted, now: Timestamp) -> Progress<Void> {
    for (field, value) in [("node", wanted.node), ("segment", wanted.segment), ("partition", wanted.partition)]
    where !Self.isValidName(value) && (field == "node" || !value.isEmpty) {
      return .failed(.claim("invalid request field. \(field) = `\(value.goQuoted)`"))
    }
    return method.identify(introduction, memory, now: now)
      .mapError { .claim("Permission denied: Failed JWT authorization: \($0)") }
      .map { (identity) throws(AuthenticationError) in
        for assertion in assertions where !Self.holds(assertion, of: identity, wanted) {
          throw .claim("Permission denied: Failed JWT claim assertion")
        }
      }
  }

  /// An assertion that cannot be evaluated does not hold.
  private static func holds(_ assertion: Interpolation, of identity: Identity, _ wanted: Wanted) -> Bool {
    guard let filter = try? assertion.text(InterpolationNames(variables: wanted.variables)) else { return false }
    return (try? identity.matches(filter)) ?? false
  }
}
