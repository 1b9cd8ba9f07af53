import Model

/// From which end intentions are looked for.
public enum IntentionSide: String, Sendable, CaseIterable {
  case source, destination
}

extension Intention {
  /// Whether it is about a service at one end; about `*` are only those that name it.
  public func concerns(_ service: String, as side: IntentionSide) -> Bool {
    let name = side == .source ? sourceName : destinationName
    guard sourcePeer.isEmpty else { return side == .destination && (name == service || name == anyService) }
    return name == service || name == anyService
  }
}

/// Whether one service may connect to another.
public struct IntentionDecision: Sendable, Equatable {
  public var isAllowed: Bool
  /// The intention that decided; nil for the default.
  public var intention: Intention?

  /// - Parameters:
  ///   - intentions: those that are about the destination, in their order.
  ///   - allowsByDefault: what holds where nothing is said.
  ///   - allowsPermissions: what holds where it depends on requests.
  public init(
    source: String, among intentions: [Intention], allowsByDefault: Bool, allowsPermissions: Bool = false
  ) {
    let found = intentions.first { $0.sourcePeer.isEmpty && $0.concerns(source, as: .source) }
    intention = found
    guard let found else {
      isAllowed = allowsByDefault
      return
    }
    isAllowed = found.permissions.isEmpty ? found.action == Intention.allow : allowsPermissions
  }

  /// Why, for the eyes of who asked.
  public var reason: String {
    guard let intention else { return "Default behavior configured by ACLs" }
    let ends =
      "\(intention.sourceNS)/\(intention.sourceName) => \(intention.destinationNS)/\(intention.destinationName)"
    if intention.permissions.isEmpty {
      return "Matched L4 intention: \(ends) (Precedence: \(intention.precedence), "
        + "Action: \(intention.action.uppercased()))"
    }
    return "Matched L7 intention: \(ends) (Precedence: \(intention.precedence), "
      + "Permissions: \(intention.permissions.count))"
  }
}
