import Model

/// What has to change in this datacenter so that it has the config entries of the primary one. A pure core.
///
/// Both sides are compared as they are, without regard to what happened in between.
struct ConfigEntryReplicationPlan: Equatable {
  /// In an order in which most can be carried out one after another: what others build on is written first and deleted last.
  private(set) var changes: [ConfigEntryRequest] = []

  /// The kinds that are taken over, each before those that build on it. Bound gateways follow from the others.
  static let kinds: [ConfigEntryKind] = [
    .mesh, .proxyDefaults, .serviceDefaults, .serviceResolver, .serviceSplitter, .serviceRouter, .jwtProvider,
    .serviceIntentions, .ingressGateway, .terminatingGateway, .exportedServices, .samenessGroup, .inlineCertificate,
    .fileSystemCertificate, .apiGateway, .httpRoute, .tcpRoute,
  ]

  init(here: [ConfigEntry], there: [ConfigEntry], datacenter: String) {
    var left = Dictionary(here.map { (Key($0), $0) }, uniquingKeysWith: { first, _ in first })
    var writes: [ConfigEntry] = []
    for entry in there where Self.kinds.contains(entry.kind) {
      let known = left.removeValue(forKey: Key(entry))
      if known?.contentHash != entry.contentHash { writes.append(entry) }
    }
    let deletions = left.values.filter { Self.kinds.contains($0.kind) }.sorted { !Key($0).precedes(Key($1)) }
    changes = deletions.map { ConfigEntryRequest(.delete, $0) }
    changes += writes.sorted { Key($0).precedes(Key($1)) }.map { ConfigEntryRequest(.upsert, $0) }
    for place in changes.indices { changes[place].datacenter = datacenter }
  }

  private struct Key: Hashable {
    let kind: ConfigEntryKind
    let name: String

    init(_ entry: ConfigEntry) {
      kind = entry.kind
      name = entry.name.folded
    }

    func precedes(_ other: Key) -> Bool {
      let places = [self, other].map { ConfigEntryReplicationPlan.kinds.firstIndex(of: $0.kind) ?? .max }
      return places[0] == places[1] ? bytewiseLess(name, other.name) : places[0] < places[1]
    }
  }
}

extension ConfigEntry {
  /// Other servers may count otherwise: only what is counted here is compared.
  fileprivate var contentHash: UInt64 { hashed().record.common.hash }
}
