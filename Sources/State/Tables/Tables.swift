import Model

/// All tables of the state. A copy is a snapshot.
struct Tables: Sendable {
  var nodes = Table(Schemas.nodes)
  var services = Table(Schemas.services)
  var checks = Table(Schemas.checks)
  var kv = Table(Schemas.kv)
  var tombstones = Table(Schemas.tombstones)
  var sessions = Table(Schemas.sessions)
  var coordinates = Table(Schemas.coordinates)
  var preparedQueries = Table(Schemas.preparedQueries)
  var configEntries = Table(Schemas.configEntries)
  var kindNames = Table(Schemas.kindNames)
  var virtualIPs = Table(Schemas.virtualIPs)
  var freeVirtualIPs = Table(Schemas.freeVirtualIPs)
  var autopilot: Row<AutopilotConfiguration>?
  var aclTokens = Table(Schemas.aclTokens)
  var aclPolicies = Table(Schemas.aclPolicies)
  var aclRoles = Table(Schemas.aclRoles)
  var aclBindingRules = Table(Schemas.aclBindingRules)
  var aclAuthMethods = Table(Schemas.aclAuthMethods)
  /// The certificate authority: its roots, by their ids, what operators want of it, and what the built-in provider keeps.
  var caRoots: [Row<CARoot>] = []
  var caConfiguration: Row<CAConfiguration>?
  var caProviderStates: [String: Row<CAProviderState>] = [:]
  /// Counts the changes of what tokens may do.
  var accessChanges: UInt64 = 0
  /// The index table (wire/raft.md part D).
  var index = Table(Schemas.index)
  /// Snapshot records of tables that this release does not have, by record type, in their order.
  var unread: [UInt8: [[UInt8]]] = [:]

  /// The value of a row of the index table; 0 without one.
  func index(of name: String) -> UInt64 { index[exact: name]?.value ?? 0 }
}

/// The declared indexes of each table. The enumerations name their places.
enum Schemas {
  enum NodeIndex {
    static let id = 0
    static let address = 1
  }
  static let nodes = TableSchema<NodeEntry>(
    primary: { .of($0.name) },
    indexes: [
      .init { $0.node.value.id.isEmpty ? [] : [.of($0.node.value.id)] },
      .init { entry in Key.ofAddress(entry.node.value.address).map { [$0 + Key.of(entry.name)] } ?? [] },
    ])

  enum ServiceIndex {
    static let name = 0
    /// Only kinds other than the typical one.
    static let kind = 1
    /// By the service that is reached through the instance.
    static let connect = 2
    /// Only instances with an address of their own.
    static let address = 3
  }
  static let services = TableSchema<ServiceEntry>(
    primary: { .of($0.nodeName, $0.service.value.id) },
    indexes: [
      .init { [.of($0.service.value.service, $0.nodeName, $0.service.value.id)] },
      .init {
        $0.service.value.kind.isEmpty ? [] : [.of($0.service.value.kind, $0.nodeName, $0.service.value.id)]
      },
      .init { entry in
        entry.connectDestination.map { [.of($0, entry.nodeName, entry.service.value.id)] } ?? []
      },
      .init { entry in
        Key.ofAddress(entry.service.value.address).map { [$0 + Key.of(entry.nodeName, entry.service.value.id)] } ?? []
      },
    ])

  enum CheckIndex {
    /// Only checks that do not pass: those that do are nearly all there are.
    static let status = 0
  }
  static let checks = TableSchema<Row<HealthCheck>>(
    primary: { .of($0.value.node, $0.value.checkID) },
    indexes: [
      .init {
        $0.value.status == CheckStatus.passing.rawValue ? [] : [.of($0.value.status, $0.value.node, $0.value.checkID)]
      }
    ])

  enum KVIndex {
    /// Only keys that are locked.
    static let session = 0
  }
  static let kv = TableSchema<Row<KVEntry>>(
    primary: { .exact($0.value.key) },
    indexes: [.init { $0.value.session.isEmpty ? [] : [Key.of($0.value.session, closed: true) + $0.value.key.utf8] }])

  static let tombstones = TableSchema<Tombstone>(primary: { .exact($0.key) })

  enum SessionIndex {
    static let node = 0
    /// By node and check.
    static let check = 1
  }
  static let sessions = TableSchema<Row<Session>>(
    primary: { .of($0.value.id) },
    indexes: [
      .init { [.of($0.value.node, $0.value.id)] },
      .init { session in
        session.value.allChecks.map { .of(session.value.node, $0, session.value.id) }
      },
    ])

  enum PreparedQueryIndex {
    /// Only queries with a name, templates among them.
    static let name = 0
    /// Only templates, by what the names begin with that they answer.
    static let template = 1
    static let session = 2
  }
  static let preparedQueries = TableSchema<PreparedQueryEntry>(
    primary: { .of($0.id) },
    indexes: [
      .init { $0.row.value.name.isEmpty ? [] : [.of($0.row.value.name)] },
      .init { $0.template == nil ? [] : [.of($0.row.value.name)] },
      .init { $0.row.value.session.isEmpty ? [] : [.of($0.row.value.session, $0.id)] },
    ])

  enum ACLTokenIndex {
    /// By the digest of the secret: how long a lookup takes tells nothing about secrets.
    static let secret = 0
    static let policy = 1
    static let role = 2
    static let authMethod = 3
    /// Only tokens that expire, by when.
    static let expiration = 4
  }
  static let aclTokens = TableSchema<Row<ACLToken>>(
    primary: { .of($0.value.accessorID) },
    indexes: [
      .init { [secretKey($0.value.secretID)] },
      .init { token in token.value.policies.map { .of($0.id, token.value.accessorID) } },
      .init { token in token.value.roles.map { .of($0.id, token.value.accessorID) } },
      .init { $0.value.authMethod.isEmpty ? [] : [.of($0.value.authMethod, $0.value.accessorID)] },
      .init { token in token.value.expirationTime.map { [timeKey($0) + Key.of(token.value.accessorID)] } ?? [] },
    ])

  static func secretKey(_ secret: Secret) -> Key { BLAKE2b.digest(secret.revealed) }

  /// Times in their order: they are after year 1.
  static func timeKey(_ time: Timestamp) -> Key {
    let seconds = UInt64(clamping: time.seconds)
    let nanoseconds = UInt32(clamping: time.nanoseconds)
    return withUnsafeBytes(of: seconds.bigEndian, Array.init) + withUnsafeBytes(of: nanoseconds.bigEndian, Array.init)
  }

  enum ACLNameIndex { static let name = 0 }
  static let aclPolicies = TableSchema<Row<ACLPolicy>>(
    primary: { .of($0.value.id) }, indexes: [.init { [.of($0.value.name)] }])

  enum ACLRoleIndex {
    static let name = 0
    static let policy = 1
  }
  static let aclRoles = TableSchema<Row<ACLRole>>(
    primary: { .of($0.value.id) },
    indexes: [
      .init { [.of($0.value.name)] },
      .init { role in role.value.policies.map { .of($0.id, role.value.id) } },
    ])

  enum ACLBindingRuleIndex { static let authMethod = 0 }
  static let aclBindingRules = TableSchema<Row<ACLBindingRule>>(
    primary: { .of($0.value.id) }, indexes: [.init { [.of($0.value.authMethod, $0.value.id)] }])

  static let aclAuthMethods = TableSchema<Row<ACLAuthMethod>>(primary: { .of($0.value.name) })

  static let configEntries = TableSchema<ConfigEntryRow>(
    primary: { .of($0.entry.kind.rawValue, $0.entry.name) },
    indexes: [
      .init { row in
        guard let intentions = row.entry.as(ServiceIntentions.self) else { return [] }
        return intentions.sources.filter { !$0.legacyID.isEmpty }.map { .of($0.legacyID, row.entry.name) }
      }
    ])

  enum ConfigEntryIndex {
    /// Only intentions that the older endpoints made, by their ids. With the name of the entry, so that two entries with the
    /// same id are found in the same order by all servers, also by those that read them from a snapshot.
    static let legacyIntention = 0
  }

  static let coordinates = TableSchema<Row<NodeCoordinate>>(primary: { .of($0.value.node, $0.value.segment) })
  static let kindNames = TableSchema<KindName>(primary: { .of($0.kind, $0.name) })
  static let virtualIPs = TableSchema<Row<ServiceVirtualIP>>(
    primary: { .of($0.value.service.peer, $0.value.service.serviceName.name) })

  /// The first byte of a key: addresses that were given back, and the one row that counts.
  static let returnedAddress: Key = [0]
  static let addressCounter: Key = [1]
  static let freeVirtualIPs = TableSchema<Row<FreeVirtualIP>>(
    primary: { ($0.value.isCounter ? addressCounter : returnedAddress) + $0.value.ip.bytes })

  static let index = TableSchema<IndexRow>(primary: { .exact($0.name) })
}

extension Session {
  /// The ids of all checks that the session depends on.
  var allChecks: [String] { nodeChecks + checks + serviceChecks.map(\.id) }
}
