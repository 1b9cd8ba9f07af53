import Mesh
import Model

/// Config entries in memory, as tests write them: as the JSON that the API takes.
struct StoredEntries: ConfigEntrySource {
  private var entries: [ConfigEntryKind: [String: ConfigEntry]] = [:]

  init() {}

  init(_ texts: [String]) throws {
    for text in texts { put(try Self.parse(text)) }
  }

  static func parse(_ text: String) throws -> ConfigEntry {
    func decode<Kind: ConfigEntryRecord>(_ kind: Kind.Type) throws -> ConfigEntry {
      ConfigEntry(try Kind(json: Array(text.utf8)))
    }
    guard case .string(let name)? = try Dynamic(json: Array(text.utf8))["Kind"],
      let kind = ConfigEntryKind(rawValue: name)
    else { throw UnknownKind(text: text) }
    return try decode(kind.type)
  }

  struct UnknownKind: Error {
    let text: String
  }

  mutating func put(_ entry: ConfigEntry) { entries[entry.kind, default: [:]][entry.name] = entry }

  mutating func apply(_ change: ConfigEntryChange) {
    switch change {
    case .put(let entry): put(entry)
    case .delete(let kind, let name): entries[kind]?[name] = nil
    }
  }

  func entry<Kind: ConfigEntryRecord>(_ kind: Kind.Type, _ name: String) -> Kind? {
    entries[Kind.kind]?[name]?.as(kind)
  }

  func entries<Kind: ConfigEntryRecord>(_ kind: Kind.Type) -> [Kind] {
    (entries[Kind.kind] ?? [:]).sorted { bytewiseLess($0.key, $1.key) }.compactMap { $0.value.as(kind) }
  }
}

/// Entries that many cases need.
enum Texts {
  static func defaults(_ name: String, _ `protocol`: String) -> String {
    #"{"Kind": "service-defaults", "Name": "\#(name)", "Protocol": "\#(`protocol`)"}"#
  }
  static func proxyDefaults(_ `protocol`: String) -> String {
    #"{"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "\#(`protocol`)"}}"#
  }
  static func resolver(_ name: String, _ fields: String) -> String {
    #"{"Kind": "service-resolver", "Name": "\#(name)", \#(fields)}"#
  }
  static func splitter(_ name: String, _ splits: String) -> String {
    #"{"Kind": "service-splitter", "Name": "\#(name)", "Splits": [\#(splits)]}"#
  }
  static func router(_ name: String, _ routes: String) -> String {
    #"{"Kind": "service-router", "Name": "\#(name)", "Routes": [\#(routes)]}"#
  }
}
