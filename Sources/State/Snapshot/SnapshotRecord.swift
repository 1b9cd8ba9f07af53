import Model

/// The record types of a snapshot stream (wire/snapshot.md).
enum SnapshotRecord {
  static let registration: UInt8 = 0
  static let kv: UInt8 = 2
  static let session: UInt8 = 3
  static let tombstone: UInt8 = 5
  static let coordinates: UInt8 = 6
  static let preparedQuery: UInt8 = 7
  static let autopilot: UInt8 = 9
  static let caRoot: UInt8 = 13
  static let caProviderState: UInt8 = 14
  static let caConfiguration: UInt8 = 15
  static let index: UInt8 = 16
  static let aclToken: UInt8 = 17
  static let aclPolicy: UInt8 = 19
  static let configEntry: UInt8 = 22
  static let aclRole: UInt8 = 23
  static let aclBindingRule: UInt8 = 25
  static let aclAuthMethod: UInt8 = 27
  static let virtualIP: UInt8 = 32
  static let freeVirtualIP: UInt8 = 33
  static let chunking: UInt8 = 29
  /// From here on the types belong to the enterprise edition.
  static let firstEnterprise: UInt8 = 64

  /// The order in which records are written. Types that are not named go before the chunking state, which is last.
  static let order: [UInt8] = [
    virtualIP, freeVirtualIP, registration, coordinates, session, aclToken, aclPolicy, aclRole, aclBindingRule,
    aclAuthMethod, kv, tombstone, preparedQuery,
    autopilot, 12, caRoot, caProviderState, caConfiguration, configEntry, 30, 31,
    index, 35, 38, 40, 42,
  ]
}

/// What a snapshot stream starts with.
struct SnapshotHeader: Record {
  var lastIndex: UInt64 = 0

  static let schema = Schema<SnapshotHeader>("fsm.SnapshotHeader") { $0.field("LastIndex", \.lastIndex) }
}

/// A row of the index table in a snapshot.
struct SnapshotIndex: Record {
  var key = ""
  var value: UInt64 = 0

  static let schema = Schema<SnapshotIndex>("state.IndexEntry") {
    $0.field("Key", \.key)
    $0.field("Value", \.value)
  }
}
