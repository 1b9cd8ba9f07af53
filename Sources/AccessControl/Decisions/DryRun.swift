import Model
import Synchronization

/// What would have been refused while refusals are only noted.
public final class DryRunLedger: Sendable {
  public struct Denial: Sendable, Equatable {
    /// Of the token; of one that does not exist, that of the anonymous token.
    public var accessor: String
    /// In the words of the rule language.
    public var access: String
    public var resource: String
    public var count: UInt64
    public var first: Timestamp
    public var last: Timestamp
  }

  private struct Subject: Hashable {
    var accessor: String
    var permission: Permission
  }

  private struct Contents {
    var denials: [Subject: Denial] = [:]
    var total: UInt64 = 0
    var dropped: UInt64 = 0
  }

  /// Different denials that are listed; further ones are only counted.
  public static let limit = 4096

  private let contents = Mutex(Contents())
  private let now: @Sendable () -> Timestamp
  private let report: @Sendable (AccessRefusal) -> Void

  /// - Parameter report: told of each different denial once.
  public init(now: @escaping @Sendable () -> Timestamp, report: @escaping @Sendable (AccessRefusal) -> Void) {
    self.now = now
    self.report = report
  }

  func note(_ permission: Permission, accessor: String) {
    let time = now()
    let isNew = contents.withLock { contents in
      contents.total &+= 1
      let subject = Subject(accessor: accessor, permission: permission)
      if contents.denials[subject] != nil {
        contents.denials[subject]?.count &+= 1
        contents.denials[subject]?.last = time
        return false
      }
      guard contents.denials.count < Self.limit else {
        contents.dropped &+= 1
        return false
      }
      let words = permission.words
      contents.denials[subject] = Denial(
        accessor: accessor, access: words.access, resource: words.resource ?? "", count: 1, first: time, last: time)
      return true
    }
    if isNew { report(AccessRefusal(permission, accessor: accessor, isAnonymous: false)) }
  }

  /// How often something would have been refused, and how often of that is not listed.
  public var counts: (total: UInt64, dropped: UInt64) { contents.withLock { ($0.total, $0.dropped) } }

  /// The most frequent first.
  public var denials: [Denial] {
    contents.withLock { Array($0.denials.values) }.sorted {
      ($1.count, $0.accessor, $0.access, $0.resource) < ($0.count, $1.accessor, $1.access, $1.resource)
    }
  }
}

/// Lets everything through and notes what the rules would have refused. Access control itself stays protected: whoever could
/// change it could end the trial.
public final class DryRunResolver: AuthorizerResolver {
  private struct Lenient: Authorizer {
    let inner: any Authorizer
    let ledger: DryRunLedger

    var accessorID: String { inner.accessorID }
    var isUnlimited: Bool { inner.isUnlimited }
    var identity: ObjectIdentifier? { inner.identity }

    func allows(_ permission: Permission) -> Bool {
      if inner.allows(permission) { return true }
      if permission == .aclRead || permission == .aclWrite { return false }
      ledger.note(permission, accessor: accessorID)
      return true
    }
  }

  public let ledger: DryRunLedger
  private let inner: any AuthorizerResolver

  public init(_ inner: any AuthorizerResolver, ledger: DryRunLedger) {
    self.inner = inner
    self.ledger = ledger
  }

  /// A token that does not exist counts as none: without access control nobody looked at it.
  public func authorizer(for token: String) throws(AccessControlError) -> any Authorizer {
    if let found = try? inner.authorizer(for: token) { return Lenient(inner: found, ledger: ledger) }
    return Lenient(inner: try inner.authorizer(for: ""), ledger: ledger)
  }

  public func knows(_ token: String) -> Bool { inner.knows(token) }
  public func find(_ token: String, _ done: @escaping @Sendable () -> Void) { inner.find(token, done) }
  public func lifetime(of token: String) -> Int64? { inner.lifetime(of: token) }

  /// What the rules say, without leniency.
  public func strictAuthorizer(for token: String) throws(AccessControlError) -> any Authorizer {
    try inner.authorizer(for: token)
  }
}
