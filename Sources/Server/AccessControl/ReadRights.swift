import AccessControl
import Model
import State

// What readers need for each query, and what they see of its answer. Every face gets its answers from where this is asked:
// on the server that carries the query out.

/// An answer, and whether some of it was left out.
public struct LimitedResult<Value: Sendable>: Sendable {
  public var result: QueryResult<Value>
  /// As far as the reader may know it.
  public var isFiltered = false
  /// Whether the answer tells where it comes from.
  public var tellsOrigin = true

  init(_ result: QueryResult<Value>, isFiltered: Bool = false, tellsOrigin: Bool = true) {
    self.result = result
    self.isFiltered = isFiltered
    self.tellsOrigin = tellsOrigin
  }
}

extension ReadQuery {
  public func permission(_ reader: Reader) -> Permission? { nil }

  /// The answer as the reader may see it.
  ///
  /// - Parameter reader: nil on servers without access control.
  /// - Throws: `ServerError.denied`, if there is no answer at all for them.
  public func answer(_ state: StateSnapshot, for reader: Reader?) throws(ServerError) -> LimitedResult<Reply> {
    var found: LimitedResult<Reply>
    if let reader {
      if let permission = permission(reader) { try reader.require(permission) }
      found = try evaluate(state, for: reader)
    } else {
      found = LimitedResult(evaluate(state))
    }
    if !tellsOrigin(found.result.value) { found.tellsOrigin = false }
    return found
  }

  public func evaluate(_ state: StateSnapshot, for reader: Reader) throws(ServerError) -> LimitedResult<Reply> {
    var result = evaluate(state)
    if reader.isUnlimited { return LimitedResult(result) }
    let isFiltered = try limit(&result.value, to: reader)
    return LimitedResult(result, isFiltered: isFiltered && !reader.isAnonymous)
  }
}

/// A query that one right is enough for, whatever its answer is.
public protocol SingleRightQuery: ReadQuery {
  var right: Permission { get }
}

extension SingleRightQuery {
  public func permission(_ reader: Reader) -> Permission? { right }
  public func limit(_ reply: inout Reply, to reader: Reader) -> Bool { false }
}

// MARK: Parts of answers

/// Something that not everyone may see.
public protocol Guarded {
  func isVisible(to reader: Reader) -> Bool
}

/// An answer that shows each of its parts to those who may see it.
public protocol GuardedReply {
  /// Takes out what the reader may not see.
  /// - Returns: whether there was anything.
  mutating func limit(to reader: Reader) -> Bool
}

extension ReadQuery where Reply: GuardedReply {
  public func limit(_ reply: inout Reply, to reader: Reader) throws(ServerError) -> Bool { reply.limit(to: reader) }
}

extension Array: GuardedReply where Element: Guarded {
  public mutating func limit(to reader: Reader) -> Bool {
    let all = count
    removeAll { !$0.isVisible(to: reader) }
    return count < all
  }
}

extension Optional: GuardedReply where Wrapped: Guarded {
  public mutating func limit(to reader: Reader) -> Bool {
    guard let value = self, !value.isVisible(to: reader) else { return false }
    self = nil
    return true
  }
}

extension Row: Guarded where Value: Guarded {
  public func isVisible(to reader: Reader) -> Bool { value.isVisible(to: reader) }
}

extension KVEntry: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.keyRead(key)) }
}

extension Node: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.nodeRead(node)) }
}

extension NodeService: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.serviceRead(service)) }
}

extension ServiceSummary: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.serviceRead(name)) }
}

extension HealthCheck: Guarded {
  public func isVisible(to reader: Reader) -> Bool {
    reader.allows(.nodeRead(node)) && (serviceName.isEmpty || reader.allows(.serviceRead(serviceName)))
  }
}

extension ServiceInstance: Guarded {
  public func isVisible(to reader: Reader) -> Bool { node.isVisible(to: reader) && service.isVisible(to: reader) }
}

extension NodeCoordinate: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.nodeRead(node)) }
}

extension Session: Guarded {
  public func isVisible(to reader: Reader) -> Bool { reader.allows(.sessionRead(node)) }
}

extension NodeDetails {
  mutating func limit(to reader: Reader) -> Bool {
    let hidesServices = services.limit(to: reader)
    let hidesChecks = checks.limit(to: reader)
    return hidesServices || hidesChecks
  }
}

extension AddressOwners: GuardedReply {
  public mutating func limit(to reader: Reader) -> Bool {
    let hidesNode = node.limit(to: reader)
    let hidesServices = services.limit(to: reader)
    return hidesNode || hidesServices
  }
}
