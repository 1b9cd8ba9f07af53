import Wire

/// What a query was about, as far as metrics tell it apart.
public enum DNSQueryKind: Sendable {
  /// A name of the zone.
  case domain
  /// The name of an address.
  case reverse
  /// Any other name.
  case recursive
}

/// Is told of every answered query, on the event loop that answered it.
public protocol DNSObserver: Sendable {
  func answered(_ kind: DNSQueryKind, type: DNSRecordType, after duration: Duration)
}
