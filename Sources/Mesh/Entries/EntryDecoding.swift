import Model

extension ConfigEntry {
  /// Reads an entry as requests and files write it: names in any case, of most kinds also with underscores, values of other
  /// types where their meaning is plain. What only servers say (indexes, the hash, precedence, status) is ignored.
  ///
  /// - Parameter blocks: whether `body` was written in HCL, where an object is a list of one object, also in opaque maps,
  ///   and whole numbers stay whole.
  /// - Throws: `ConfigEntryError` that names all unknown fields, or all values of the wrong type.
  public init(body: Dynamic, blocks: Bool = false) throws(ConfigEntryError) {
    let members: DynamicObject
    switch body {
    case .object(let object): members = object
    case .null: members = DynamicObject()
    default: throw ConfigEntryError("'' expected a map, got '\(body.kindName(blocks: blocks))'")
    }
    let kind = try Self.kind(of: members)
    func read<Kind: ConfigEntryRecord>(_ type: Kind.Type) throws(ConfigEntryError) -> any ConfigEntryRecord {
      var reader = EntryReader(kind, blocks: blocks)
      let canonical = reader.record(members, Kind.schema.fields, path: "")
      try reader.finish()
      do throws(DecodingError) {
        return try Kind(from: .object(canonical), DecodingContext(.configuration))
      } catch {
        throw ConfigEntryError(EntryReader.report([EntryReader.text(of: error)]))
      }
    }
    self.init(try read(kind.type))
    forgetStatus()
    if var intentions = self.as(ServiceIntentions.self) {
      intentions.forgetLegacy()
      record = intentions
    }
  }

  private static func kind(of members: DynamicObject) throws(ConfigEntryError) -> ConfigEntryKind {
    guard let value = members["Kind"] ?? members["kind"] else {
      throw ConfigEntryError("Payload does not contain a kind/Kind key at the top level")
    }
    guard let name = value.string else { throw ConfigEntryError("Kind value in payload is not a string") }
    guard let kind = ConfigEntryKind(rawValue: name) else {
      throw ConfigEntryError("invalid config entry kind: \(name)")
    }
    return kind
  }
}

extension ServiceIntentions {
  /// Forgets what only the older endpoints of intentions set.
  fileprivate mutating func forgetLegacy() {
    for index in sources.indices {
      sources[index].legacyID = ""
      sources[index].legacyMeta = StringMap()
      sources[index].legacyCreateTime = nil
      sources[index].legacyUpdateTime = nil
    }
  }
}

extension ConfigEntryKind {
  /// Whether input may write `service_subset` for `ServiceSubset`. The kinds of API gateways know one spelling.
  var allowsUnderscores: Bool {
    switch self {
    case .apiGateway, .boundAPIGateway, .httpRoute, .tcpRoute, .inlineCertificate, .fileSystemCertificate: false
    default: true
    }
  }
}
