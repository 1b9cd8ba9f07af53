import Model
import Server
import State

/// The names and tags of services, of which only the instances that pass a filter count.
struct FilteredCatalogServices: CacheableQuery {
  static let method = "Catalog.ListServices"
  let nodeMeta: StringMap
  let filter: FilterParameter<ServiceNode>

  func evaluate(_ state: StateSnapshot) -> QueryResult<[ServiceSummary]> {
    state.services().map { all in
      all.compactMap { service in
        let instances = state.serviceNodes(service.name, tags: []).value
          .filter { nodeMeta.isEmpty || $0.node.value.meta.contains(all: nodeMeta) }
          .filter { filter.matches(ServiceNode($0)) }
        guard !instances.isEmpty else { return nil }
        var tags: [String] = []
        var seen: Set<String> = []
        for tag in instances.flatMap(\.service.value.tags) where seen.insert(tag).inserted { tags.append(tag) }
        return ServiceSummary(name: service.name, tags: tags)
      }
    }
  }
}
