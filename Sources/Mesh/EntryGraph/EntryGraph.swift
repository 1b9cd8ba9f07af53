import Model

/// The rules among config entries: which changes would leave others without meaning.
///
/// A change is tried on the entries as they would be: every discovery chain that it can have an effect on is compiled, and
/// what gateways, intentions and exports expect of these chains is compared with the outcome.
public enum EntryGraph {
  /// - Parameters:
  ///   - change: valid in itself.
  ///   - source: the entries before the change.
  ///   - datacenter: of these entries.
  /// - Throws: what the change would break first.
  public static func check(
    _ change: ConfigEntryChange, in source: some ConfigEntrySource, datacenter: String
  ) throws(ConfigEntryError) {
    switch change {
    case .put(let entry):
      try checkPermissiveMode(entry, in: source)
      try checkGatewayName(entry, in: source)
      if let intentions = entry.as(ServiceIntentions.self) { try checkProviders(of: intentions, in: source) }
    case .delete(.jwtProvider, let name): try checkUnused(provider: name, in: source)
    case .delete: break
    }
    guard concernsChains(change) else { return }
    let rules = ChainRules(change, in: source, datacenter: datacenter)
    for service in rules.services(concernedBy: change) { try rules.check(service) }
  }

  private static func concernsChains(_ change: ConfigEntryChange) -> Bool {
    switch (change.kind, change) {
    case (.serviceDefaults, _), (.proxyDefaults, _), (.serviceRouter, _), (.serviceSplitter, _), (.serviceResolver, _):
      true
    case (.ingressGateway, .put), (.exportedServices, .put), (.serviceIntentions, .put): true
    default: false
    }
  }

  /// A proxy that accepts what is not encrypted needs the consent of the mesh.
  private static func checkPermissiveMode(
    _ entry: ConfigEntry, in source: some ConfigEntrySource
  ) throws(ConfigEntryError) {
    let mode = entry.as(ServiceDefaults.self)?.mutualTLSMode ?? entry.as(ProxyDefaults.self)?.mutualTLSMode
    guard mode == "permissive" else { return }
    guard source.entry(MeshDefaults.self, "mesh")?.allowEnablingPermissiveMutualTLS == true else {
      throw ConfigEntryError(
        "cannot set MutualTLSMode=permissive because AllowEnablingPermissiveMutualTLS=false in the mesh config entry")
    }
  }

  /// The instances of a gateway are found by its name: it can be of one kind only.
  private static func checkGatewayName(
    _ entry: ConfigEntry, in source: some ConfigEntrySource
  ) throws(ConfigEntryError) {
    let kinds: [ConfigEntryKind] = [.ingressGateway, .terminatingGateway, .apiGateway]
    guard kinds.contains(entry.kind) else { return }
    func exists(_ kind: any ConfigEntryRecord.Type) -> Bool { source.entry(kind, entry.name) != nil }
    for kind in kinds where kind != entry.kind && exists(kind.type) {
      throw ConfigEntryError(
        "cannot create a \(entry.kind.rawValue.goQuoted) config entry with name \(entry.name.goQuoted), "
          + "a \(kind.rawValue.goQuoted) config entry with that name already exists")
    }
  }

  private static func checkProviders(
    of intentions: ServiceIntentions, in source: some ConfigEntrySource
  ) throws(ConfigEntryError) {
    let missing = intentions.providers.filter { source.entry(JWTProvider.self, $0) == nil }
    guard !missing.isEmpty else { return }
    let texts = missing.map { "\t* Referenced JWT Provider does not exist. Provider Name: \($0)\n" }
    throw ConfigEntryError(
      "\(missing.count) error\(missing.count == 1 ? "" : "s") occurred:\n\(texts.joined())\n")
  }

  private static func checkUnused(provider: String, in source: some ConfigEntrySource) throws(ConfigEntryError) {
    guard let user = source.entries(ServiceIntentions.self).first(where: { $0.providers.contains(provider) }) else {
      return
    }
    throw ConfigEntryError(
      "cannot delete jwt provider config entry referenced by an intention. Provider name: \(provider), "
        + "intention name: \(user.name)")
  }
}

extension ServiceIntentions {
  /// The providers of tokens that the intentions name, each once, in the order in which they appear.
  fileprivate var providers: [String] {
    let requirements = [jwt] + sources.flatMap { $0.permissions.map(\.jwt) }
    var names: [String] = []
    for provider in requirements.flatMap({ $0?.providers ?? [] }) where !names.contains(provider.name) {
      names.append(provider.name)
    }
    return names
  }
}
