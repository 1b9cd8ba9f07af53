import AccessControl
import Mesh
import Model
import State

/// All intentions, in the order in which they are asked.
public struct IntentionList: ReadQuery {
  public static let method = "Intention.List"
  public static var needsMesh: Bool { true }

  /// Whether those are meant that old clusters kept in a table of their own: there are none.
  var isLegacy = false

  public init() {}

  public func evaluate(_ state: StateSnapshot) -> QueryResult<IntentionListing> {
    state.intentions().map { IntentionListing(intentions: isLegacy ? [] : $0, isLegacy: isLegacy) }
  }
}

/// Intentions, and where they are kept.
public struct IntentionListing: Sendable, GuardedReply {
  public var intentions: [Intention]
  var isLegacy = false

  public mutating func limit(to reader: Reader) -> Bool { intentions.limit(to: reader) }
}

/// One intention.
public struct IntentionGet: ReadQuery {
  public static let method = "Intention.Get"
  public static var needsMesh: Bool { true }

  public enum Name: Sendable, Hashable {
    case ends(source: String, destination: String)
    /// Of one that the older endpoints made.
    case id(String)
  }

  public var name: Name

  public init(_ name: Name) { self.name = name }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Intention?> {
    switch name {
    case .ends(let source, let destination): state.intention(source: source, destination: destination)
    case .id(let id): state.intention(id: id)
    }
  }

  public func limit(_ reply: inout Intention?, to reader: Reader) throws(ServerError) -> Bool {
    if let intention = reply, !intention.isVisible(to: reader) { throw .permissionDenied("") }
    return false
  }
}

/// For each service, the intentions about it, in the order in which they are asked.
public struct IntentionMatch: CacheableQuery {
  public static let method = "Intention.Match"
  public static var needsMesh: Bool { true }
  public var side: IntentionSide
  public var services: [String]

  public init(_ services: [String], as side: IntentionSide) {
    self.side = side
    self.services = services
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<[[Intention]]> {
    var result = QueryResult<[[Intention]]>(index: 0, value: [], watch: [])
    for service in services {
      let found = state.intentions(about: service, as: side)
      result.index = max(result.index, found.index)
      result.value.append(found.value)
      result.watch += found.watch
    }
    return result
  }

  public func evaluate(_ state: StateSnapshot, for reader: Reader) throws(ServerError) -> LimitedResult<[[Intention]]> {
    for service in services { try reader.require(.intentionRead(service)) }
    return LimitedResult(evaluate(state))
  }

  public func limit(_ reply: inout [[Intention]], to reader: Reader) -> Bool { false }
}

/// Whether one service may connect to another.
public struct IntentionCheck: ReadQuery {
  public static let method = "Intention.Check"
  public static var needsMesh: Bool { true }
  public var source: String
  public var destination: String
  private var allowsByDefault = true

  public init(source: String, destination: String) {
    self.source = source
    self.destination = destination
  }

  public func informed(by server: ServerFacts) -> IntentionCheck {
    var query = self
    query.allowsByDefault = server.allowsByDefault
    return query
  }

  public func evaluate(_ state: StateSnapshot) -> QueryResult<Bool> {
    let intentions = state.intentions(about: destination, as: .destination).value
    return .immediate(
      IntentionDecision(source: source, among: intentions, allowsByDefault: allowsByDefault).isAllowed)
  }

  public func permission(_ reader: Reader) -> Permission? { .serviceRead(destination) }
  public func limit(_ reply: inout Bool, to reader: Reader) -> Bool { false }
}
