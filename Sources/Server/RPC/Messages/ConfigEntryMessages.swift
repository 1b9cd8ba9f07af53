import Model

extension ConfigEntryRequest: RPCWriteRequest {}
extension IntentionRequest: RPCWriteRequest {}

/// Asks for one config entry, or for all of a kind.
public struct ConfigEntryQuery: RPCReadRequest {
  public var datacenter = ""
  public var kind = ""
  public var name = ""
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ConfigEntryQuery>("structs.ConfigEntryQuery") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Kind", \.kind)
    $0.field("Name", \.name)
    $0.embed(\.options)
  }
}

/// Asks for the config entries of some kinds.
public struct ConfigEntryListAllRequest: RPCReadRequest {
  public var datacenter = ""
  public var kinds: [String] = []
  public var options = RPCQueryOptions()

  public init() {}

  public static let schema = Schema<ConfigEntryListAllRequest>("structs.ConfigEntryListAllRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Kinds", \.kinds)
    $0.embed(\.options)
  }
}

/// Whether an entry was deleted.
public struct ConfigEntryDeleteResponse: Record {
  public var deleted = false

  public init() {}

  public static let schema = Schema<ConfigEntryDeleteResponse>("structs.ConfigEntryDeleteResponse") {
    $0.field("Deleted", \.deleted)
  }
}

// Answers with config entries travel as raw strings: readers have to know a kind before they read an entry of it
// (wire/messagepack.md, "Wrapped types").

/// One config entry, or none.
public struct ConfigEntryResponse: RPCReply {
  public var entry: ConfigEntry?
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<ConfigEntryResponse>("structs.ConfigEntryResponse") { $0.embed(\.meta) }

  public func encode(_ writer: inout MessagePackWriter) {
    var inner = MessagePackWriter()
    inner.string(entry?.kind.rawValue ?? "")
    entry?.encodeFields(&inner)
    meta.encode(&inner)
    Bytes(inner.bytes).encode(&writer)
  }

  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self.init()
    var inner = MessagePackReader(try reader.rawString())
    entry = try ConfigEntry.read(&inner)
    meta = try RPCQueryMeta(from: &inner)
  }
}

/// Config entries of one kind.
public struct IndexedConfigEntries: RPCReply {
  public var kind = ""
  public var entries: [ConfigEntry] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedConfigEntries>("structs.IndexedConfigEntries") { $0.embed(\.meta) }

  /// The number of entries, the kind, and then a map with what there is to say: the entries stand among the fields of the
  /// meta data, in the order of their names.
  public func encode(_ writer: inout MessagePackWriter) {
    var inner = MessagePackWriter()
    inner.integer(entries.count)
    inner.string(kind)
    inner.mapHeader(9)
    inner.string("Backend")
    inner.integer(meta.backend)
    inner.string("ConsistencyLevel")
    inner.string(meta.consistencyLevel)
    inner.string("Entries")
    inner.arrayHeader(entries.count)
    for entry in entries { entry.encodeFields(&inner) }
    inner.string("Index")
    inner.integer(meta.index)
    inner.string("Kind")
    inner.string(kind)
    inner.string("KnownLeader")
    inner.bool(meta.knownLeader)
    inner.string("LastContact")
    meta.lastContact.encode(&inner)
    inner.string("NotModified")
    inner.bool(meta.notModified)
    inner.string("ResultsFilteredByACLs")
    inner.bool(meta.isFiltered)
    Bytes(inner.bytes).encode(&writer)
  }

  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self.init()
    var inner = MessagePackReader(try reader.rawString())
    let _: Int = try inner.integer()
    kind = try inner.string()
    guard let count = try inner.mapHeader() else { return }
    for _ in 0..<count {
      switch try inner.string() {
      case "Entries": try readEntries(&inner)
      case "Index": meta.index = try inner.integer()
      case "KnownLeader": meta.knownLeader = try inner.bool()
      case "LastContact": meta.lastContact = try GoDuration(from: &inner)
      case "NotModified": meta.notModified = try inner.bool()
      case "ResultsFilteredByACLs": meta.isFiltered = try inner.bool()
      default: try inner.skip()
      }
    }
  }

  private mutating func readEntries(_ reader: inout MessagePackReader) throws(MessagePackError) {
    guard let count = try reader.arrayHeader(), count > 0 else { return }
    guard let kind = ConfigEntryKind(rawValue: kind) else { throw .mismatch(expected: "kind", found: 0, offset: 0) }
    for _ in 0..<count { entries.append(try ConfigEntry(kind, from: &reader)) }
  }
}

/// Config entries of several kinds.
public struct IndexedGenericConfigEntries: RPCReply {
  public var entries: [ConfigEntry] = []
  public var meta = RPCQueryMeta()

  public init() {}

  public static let schema = Schema<IndexedGenericConfigEntries>("structs.IndexedGenericConfigEntries") {
    $0.embed(\.meta)
  }

  public func encode(_ writer: inout MessagePackWriter) {
    var inner = MessagePackWriter()
    inner.integer(entries.count)
    for entry in entries {
      inner.string(entry.kind.rawValue)
      entry.encodeFields(&inner)
    }
    meta.encode(&inner)
    Bytes(inner.bytes).encode(&writer)
  }

  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self.init()
    var inner = MessagePackReader(try reader.rawString())
    let count: UInt32 = try inner.integer()
    for _ in 0..<count {
      if let entry = try ConfigEntry.read(&inner) { entries.append(entry) }
    }
    meta = try RPCQueryMeta(from: &inner)
  }
}
