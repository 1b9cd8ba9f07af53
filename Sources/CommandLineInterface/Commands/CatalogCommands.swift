import ConsulClient

/// `consul catalog …`: what is registered in a datacenter.
enum CatalogCommands {
  static let group = CommandGroup(
    usage: "Usage: consul catalog <subcommand> [options] [args]",
    about: """
      Shows what is registered in the catalog of a datacenter, whichever agent it was registered with.

          $ consul catalog datacenters
          $ consul catalog nodes
          $ consul catalog services

      Each subcommand explains its options with -h.
      """,
    entries: [
      .command("datacenters", "Lists all known datacenters") { datacenters },
      .command("nodes", "Lists the nodes of a datacenter") { nodes },
      .command("services", "Lists the services of a datacenter") { services },
    ])

  static var datacenters: Command {
    Command(
      usage: "Usage: consul catalog datacenters [options]",
      about: "Lists the names of all datacenters that the agent's servers know, nearest first.",
      clientFlags: ClientFlags.query
    ) { invocation in
      try invocation.requireArguments(atMost: 0)
      let catalog = try invocation.client().catalog
      for name in try await explaining("Error listing datacenters", { try await catalog.datacenters() }) {
        invocation.console.out(name)
      }
      return 0
    }
  }

  // MARK: - Nodes

  private static let detailed = Flag.bool("detailed", "Show whole ids, all addresses, and metadata.")
  private static let filter = Flag.string("filter", "Expression of the filter language that the nodes must match.")
  private static let near = Flag.string(
    "near", "Name of the node to which the list is sorted by distance; _agent for the agent's own.")
  private static let nodeMeta = Flag.map(
    "node-meta", "Metadata that the nodes must have. May be given several times.")
  private static let service = Flag.string(
    "service", placeholder: "id or name", "Name of a service; only its nodes are shown.")

  static var nodes: Command {
    Command(
      usage: "Usage: consul catalog nodes [options]",
      about: """
        Lists the nodes of a datacenter: the agent's own, unless another one is named.

        All nodes, with all that is known of them:

            $ consul catalog nodes -detailed

        Those that run the service "web", or those in a certain rack:

            $ consul catalog nodes -service=web
            $ consul catalog nodes -node-meta="rack=r1"

        Sorted by round-trip time from the node "n7":

            $ consul catalog nodes -near=n7
        """,
      clientFlags: ClientFlags.query,
      flags: [ClientFlags.partition.any, detailed.any, filter.any, near.any, nodeMeta.any, service.any]
    ) { invocation in
      try invocation.requireArguments(atMost: 0)
      var options = invocation.queryOptions
      options.near = invocation[near]
      options.nodeMeta = invocation[nodeMeta]
      options.filter = invocation[filter]
      let catalog = try invocation.client().catalog
      let service = invocation[service]
      let nodes = try await explaining("Error listing nodes") {
        service.isEmpty
          ? try await catalog.nodes(options).value : try await catalog.nodes(ofService: service, options).value
      }
      guard !nodes.isEmpty else {
        invocation.console.err("No nodes match the given query - try expanding your search.")
        return 0
      }
      invocation.console.out(table(of: nodes, isDetailed: invocation[detailed]))
      return 0
    }
  }

  static func table(of nodes: [CatalogNode], isDetailed: Bool) -> String {
    let heading = ["Node", "ID", "Address", "DC"] + (isDetailed ? ["TaggedAddresses", "Meta"] : [])
    return Columns.render(
      [heading]
        + nodes.map { node in
          let shortID = node.id.prefix { $0 != "-" }
          return [node.name, isDetailed ? node.id : String(shortID), node.address, node.datacenter]
            + (isDetailed ? [pairs(node.taggedAddresses), pairs(node.meta)] : [])
        })
  }

  private static func pairs(_ map: [String: String]) -> String {
    map.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
  }

  // MARK: - Services

  private static let node = Flag.string("node", placeholder: "id or name", "Name or id of the node to look at.")
  private static let tags = Flag.bool("tags", "Show the tags of each service beside it.")

  static var services: Command {
    Command(
      usage: "Usage: consul catalog services [options]",
      about: """
        Lists the services of a datacenter: the agent's own, unless another one is named.

        All services with the tags of their instances:

            $ consul catalog services -tags

        Those on the node "n7", or those on nodes in a certain rack:

            $ consul catalog services -node=n7
            $ consul catalog services -node-meta="rack=r1"
        """,
      clientFlags: ClientFlags.query,
      flags: ClientFlags.tenancy + [node.any, nodeMeta.any, tags.any]
    ) { invocation in
      try invocation.requireArguments(atMost: 0)
      var options = invocation.queryOptions
      options.nodeMeta = invocation[nodeMeta]
      let catalog = try invocation.client().catalog
      let node = invocation[node]
      let services = try await explaining("Error listing services") {
        node.isEmpty
          ? try await catalog.services(options).value : try await catalog.services(onNode: node, options).value
      }
      guard !services.isEmpty else {
        invocation.console.err("No services match the given query - try expanding your search.")
        return 0
      }
      invocation.console.out(list(of: services, withTags: invocation[tags]))
      return 0
    }
  }

  static func list(of services: [String: [String]], withTags: Bool) -> String {
    let names = services.keys.sorted()
    guard withTags else { return names.joined(separator: "\n") }
    return Columns.render(
      names.map { [$0, Set(services[$0] ?? []).sorted().joined(separator: ",")] }, glue: "      "
    ).trimmed
  }
}
