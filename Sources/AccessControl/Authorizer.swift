import Model

/// What a request wants to do. Every face asks for exactly one of these before it acts, so that no way in is forgotten.
public enum Permission: Sendable, Equatable {
  case keyRead(String)
  case keyList(String)
  case keyWrite(String)
  case keyWritePrefix(String)
  case nodeRead(String)
  case nodeWrite(String)
  case serviceRead(String)
  case serviceWrite(String)
  case sessionRead(String)
  case sessionWrite(String)
  case agentRead(String)
  case agentWrite(String)
  case eventRead(String)
  case eventWrite(String)
  case queryRead(String)
  case queryWrite(String)
  case operatorRead
  case operatorWrite
  case aclRead
  case aclWrite
  case keyringRead
  case keyringWrite
  /// Needs no right: static facts such as the leader's address.
  case open
}

/// The rights of one token.
public protocol Authorizer: Sendable {
  /// The public id of the token, for messages about missing rights; "" where there is none.
  var accessorID: String { get }
  func allows(_ permission: Permission) -> Bool
}

extension Authorizer {
  public var accessorID: String { "" }
}

/// Grants everything: what an agent without access control uses.
public struct AllowAll: Authorizer {
  public init() {}
  public func allows(_ permission: Permission) -> Bool { true }
}

/// Turns the token of a request into rights.
public protocol AuthorizerResolver: Sendable {
  func authorizer(for token: String) throws(AccessControlError) -> any Authorizer
}

/// Every token, and none, may do everything.
public struct OpenResolver: AuthorizerResolver {
  public init() {}
  public func authorizer(for token: String) throws(AccessControlError) -> any Authorizer { AllowAll() }
}

/// Why a token has no rights.
public enum AccessControlError: Error, Equatable {
  /// No token of that secret exists.
  case notFound
  case denied(Permission)
}
