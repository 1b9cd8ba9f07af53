import Model

/// Asks for the whole state, or brings another one (wire/rpc.md, section 8).
struct SnapshotRequest: Record {
  static let save = 0
  static let restore = 1

  var datacenter = ""
  var token = ""
  var allowStale = false
  var op = save

  init() {}

  static let schema = Schema<SnapshotRequest>("structs.SnapshotRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
    $0.field("AllowStale", \.allowStale)
    $0.field("Op", \.op)
  }
}

/// What comes before the archive.
struct SnapshotResponse: Record {
  /// "" for success; nothing follows otherwise.
  var error = ""
  var meta = RPCQueryMeta()

  init() {}

  static let schema = Schema<SnapshotResponse>("structs.SnapshotResponse") {
    $0.field("Error", \.error)
    $0.embed(\.meta)
  }
}
