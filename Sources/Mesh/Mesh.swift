import Model

/// # Mesh
///
/// What the configuration of the mesh means: which config entries are valid (`Entries`) and go together (`EntryGraph`), how
/// requests to a service find instances (`DiscoveryChain`), what API gateways listen to (`Gateways`), and who may call whom
/// (`Intentions`). Pure cores over the records of `Model`: entries are passed in, answers come out. The room must not know
/// the state store, requests, sockets, clocks, or Envoy.

/// Where config entries are looked up.
public protocol ConfigEntrySource {
  /// The entry of that kind and name, in whatever case, if there is one.
  func entry<Kind: ConfigEntryRecord>(_ kind: Kind.Type, _ name: String) -> Kind?
  /// All entries of that kind, in byte order of their names in lower case.
  func entries<Kind: ConfigEntryRecord>(_ kind: Kind.Type) -> [Kind]
}

/// Why a config entry was refused.
public struct ConfigEntryError: Error, Equatable, CustomStringConvertible {
  /// Says which field is wrong, and why.
  public let description: String

  public init(_ description: String) { self.description = description }
}
