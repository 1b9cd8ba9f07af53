/// Writes or deletes a config entry. Of an entry that is to be deleted only kind, name and modify index count.
///
/// Travels as a raw string that holds the kind of the entry and then the fields (wire/messagepack.md, "Wrapped types").
public struct ConfigEntryRequest: Record {
  public var datacenter = ""
  public var op = ""
  public var token = ""
  public var entry: ConfigEntry = .init(ServiceDefaults())

  public init() {}

  public init(_ op: ConfigEntryOp, _ entry: ConfigEntry) {
    self.op = op.rawValue
    self.entry = entry
  }

  /// The fields that do not depend on the kind.
  public static let schema = Schema<ConfigEntryRequest>("structs.ConfigEntryRequest") {
    $0.field("Datacenter", \.datacenter)
    $0.field("Op", \.op)
    $0.field("Token", \.token)
  }

  public func encode(_ writer: inout MessagePackWriter) {
    var inner = MessagePackWriter()
    inner.string(entry.kind.rawValue)
    inner.mapHeader(4)
    inner.string("Datacenter")
    inner.string(datacenter)
    inner.string("Entry")
    entry.encodeFields(&inner)
    inner.string("Op")
    inner.string(op)
    inner.string("Token")
    inner.string(token)
    Bytes(inner.bytes).encode(&writer)
  }

  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self = try reader.wrapped { (inner) throws(MessagePackError) in try Self(fromFields: &inner) }
  }

  private init(fromFields inner: inout MessagePackReader) throws(MessagePackError) {
    guard let kind = ConfigEntryKind(rawValue: try inner.string()) else {
      throw inner.mismatch("kind of a config entry")
    }
    self.init()
    entry = ConfigEntry(kind.type.init())
    guard let count = try inner.mapHeader() else { return }
    for _ in 0..<count {
      switch try inner.string() {
      case "Datacenter": datacenter = try inner.string()
      case "Entry": entry = try ConfigEntry(kind, from: &inner)
      case "Op": op = try inner.string()
      case "Token": token = try inner.string()
      default: try inner.skip()
      }
    }
  }
}

public enum ConfigEntryOp: String, Sendable, CaseIterable {
  case upsert
  /// Only if the modify index is that of the entry, or 0 and there is none.
  case upsertIfUnchanged = "upsert-cas"
  /// As before, by the controllers of gateways: only they write what became of an entry.
  case upsertStatusIfUnchanged = "upsert-with-status-cas"
  case delete
  /// Only if the modify index is that of the entry.
  case deleteIfUnchanged = "delete-cas"
}
