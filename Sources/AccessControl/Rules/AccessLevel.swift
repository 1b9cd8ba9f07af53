/// What a rule says of a resource.
public enum AccessLevel: String, Sendable, CaseIterable {
  case deny, read, list, write

  /// In any case of letters; nil for other words.
  init?(word: String) { self.init(rawValue: word.lowercased()) }

  /// Whether a rule with this level grants `needed`: who may write may list, who may list may read.
  public func grants(_ needed: AccessLevel) -> Bool { self != .deny && rank >= needed.rank }

  private var rank: Int {
    switch self {
    case .deny: 0
    case .read: 1
    case .list: 2
    case .write: 3
    }
  }

  /// Where several policies speak of the same thing: one that denies wins, else the one that grants most.
  func takesPrecedence(over other: AccessLevel) -> Bool {
    if other == .deny { return false }
    return self == .deny || rank > other.rank
  }
}

/// What rules are about.
public enum RuleResource: String, Sendable, CaseIterable {
  case acl, agent, event, identity, intention, key, keyring, mesh, node, `operator`, peering, query, service, session

  /// Those that are one thing, without names: `operator = "read"`.
  static let scalars: [RuleResource] = [.acl, .keyring, .mesh, .operator, .peering]
  /// Those that rules name, exactly or by prefix: `node_prefix "web-" { policy = "read" }`.
  static let named: [RuleResource] = [.agent, .event, .identity, .key, .node, .query, .service, .session]
}
