/// The rights of one token. An immutable value: a change of the token makes another.
public protocol Authorizer: Sendable {
  /// The public id of the token, for messages about missing rights; "" where there is none.
  var accessorID: String { get }
  /// Whether everything is allowed, so that lists need no filtering.
  var isUnlimited: Bool { get }
  /// The same for authorizers that allow the same; nil where nobody knows.
  var identity: ObjectIdentifier? { get }
  func allows(_ permission: Permission) -> Bool
}

extension Authorizer {
  public var accessorID: String { "" }
  public var isUnlimited: Bool { false }
  public var identity: ObjectIdentifier? { nil }
}

/// Grants everything: what an agent without access control uses.
public final class AllowAll: Authorizer {
  public static let shared = AllowAll()
  public init() {}
  public var isUnlimited: Bool { true }
  public func allows(_ permission: Permission) -> Bool { true }
}

/// Grants nothing.
public final class DenyAll: Authorizer {
  public static let shared = DenyAll()
  public init() {}
  public func allows(_ permission: Permission) -> Bool { false }
}

/// Turns the token of a request into rights. Called for each request, on its event loop: it answers from memory.
public protocol AuthorizerResolver: Sendable {
  /// - Parameter token: a secret; "" stands for the anonymous token.
  /// - Throws: `AccessControlError.notFound` for a secret that no valid token has.
  func authorizer(for token: String) throws(AccessControlError) -> any Authorizer

  /// Whether `authorizer` answers for that secret from memory. If not, `find` has to be asked first.
  func knows(_ token: String) -> Bool

  /// Finds out what that secret may do; `done` runs on any thread as soon as `authorizer` can tell.
  func find(_ token: String, _ done: @escaping @Sendable () -> Void)

  /// When the token of that secret stops being valid, in nanoseconds from now; nil for never.
  func lifetime(of token: String) -> Int64?
}

extension AuthorizerResolver {
  public func knows(_ token: String) -> Bool { true }
  public func find(_ token: String, _ done: @escaping @Sendable () -> Void) { done() }
  public func lifetime(of token: String) -> Int64? { nil }
}

/// Every token, and none, may do everything.
public struct OpenResolver: AuthorizerResolver {
  public init() {}
  public func authorizer(for token: String) throws(AccessControlError) -> any Authorizer { AllowAll.shared }
}

/// Why a token has no rights.
public enum AccessControlError: Error, Equatable {
  /// No token of that secret exists.
  case notFound
  case denied(Permission)
}

/// That a token lacks a right: who, which right, and on what.
public struct AccessRefusal: Error, Equatable, Sendable, CustomStringConvertible {
  public var permission: Permission
  /// "" where the token has no public id.
  public var accessor: String
  /// Whether the request carried no token.
  public var isAnonymous: Bool

  public init(_ permission: Permission, accessor: String, isAnonymous: Bool) {
    self.permission = permission
    self.accessor = accessor
    self.isAnonymous = isAnonymous
  }

  /// What is missing, without the words before it.
  public var reason: String {
    let right = permission.words
    let lack =
      "lacks permission '\(right.access)'" + (right.resource.flatMap { $0.isEmpty ? nil : " on \"\($0)\"" } ?? "")
    if isAnonymous {
      return "anonymous token \(lack). The anonymous token is used implicitly when a request does not specify a token."
    }
    return accessor.isEmpty ? "token \(lack)" : "token with AccessorID '\(accessor)' \(lack)"
  }

  public var description: String { "Permission denied: " + reason }

  /// The refusal that was described so; nil for other texts. Servers tell each other in words.
  public init?(described text: String) {
    guard let start = text.firstRange(of: "Permission denied: ") else { return nil }
    var rest = text[start.upperBound...]
    func skip(_ words: String) -> Bool {
      guard rest.hasPrefix(words) else { return false }
      rest.removeFirst(words.count)
      return true
    }
    accessor = ""
    isAnonymous = skip("anonymous token ")
    if !isAnonymous {
      guard skip("token ") else { return nil }
      if skip("with AccessorID '") {
        guard let end = rest.firstIndex(of: "'") else { return nil }
        accessor = String(rest[..<end])
        rest = rest[end...]
        guard skip("' ") else { return nil }
      }
    }
    guard skip("lacks permission '"), let end = rest.firstIndex(of: "'") else { return nil }
    let access = rest[..<end].split(separator: ":")
    rest = rest[end...]
    guard access.count == 2, skip("'") else { return nil }
    var name: String?
    if skip(" on \""), let end = rest.lastIndex(of: "\"") { name = String(rest[..<end]) }
    guard let permission = Permission(resource: access[0], access: access[1], named: name) else { return nil }
    self.permission = permission
  }

  /// The same for programs: who, right, resource.
  public var header: String {
    let right = permission.words
    let missing = right.access + (right.resource.map { " \"\($0)\"" } ?? "")
    let who = isAnonymous ? "anonymous" : accessor
    return who.isEmpty ? missing : "\(who) \(missing)"
  }
}
