import ConsulClient

/// `consul members`: who an agent sees in its gossip pool.
enum MembersCommand {
  private static let detailed = Flag.bool("detailed", "Show all tags of each member.")
  private static let filter = Flag.string("filter", "Expression of the filter language that the members must match.")
  private static let segment = Flag.string(
    "segment", default: "_all", "Network segment to show; agents without segments refuse any but the default.")
  private static let status = Flag.string(
    "status", default: ".*", "Regular expression that the status of a member must match.")
  private static let wan = Flag.bool(
    "wan", "Show the pool of all datacenters' servers, which only servers know.")

  /// Exit code when there is nothing to show.
  private static let nothingFound: Int32 = 2

  static var command: Command {
    Command(
      usage: "Usage: consul members [options]",
      about: "Lists the members of the cluster that the agent knows, with their address, status and version.",
      clientFlags: ClientFlags.connection,
      flags: [ClientFlags.partition.any, detailed.any, filter.any, segment.any, status.any, wan.any]
    ) { invocation in
      let wanted = try RegularExpression(invocation[status], complaint: "Failed to compile status regexp")
      let agent = try invocation.client().agent
      let members = try await explaining("Error retrieving members") {
        try await agent.members(wan: invocation[wan], segment: invocation[segment], filter: invocation[filter])
      }.filter { wanted.matches($0.statusName) }
      guard !members.isEmpty else { return nothingFound }
      invocation.console.out(table(of: members, isDetailed: invocation[detailed]))
      return 0
    }
  }

  /// One line per member: by partition, servers before clients, then by name.
  static func table(of members: [AgentMember], isDetailed: Bool) -> String {
    let sorted = members.sorted {
      ($0.partition, $0.segment, $0.name) < ($1.partition, $1.segment, $1.name)
    }
    if isDetailed {
      return Columns.render(
        [["Node", "Address", "Status", "Tags"]] + sorted.map { [$0.name, $0.endpoint, $0.statusName, $0.tagList] })
    }
    return Columns.render(
      [["Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Partition", "Segment"]]
        + sorted.map {
          [
            $0.name, $0.endpoint, $0.statusName, $0.type, $0.build, $0.tags["vsn"] ?? "", $0.tags["dc"] ?? "",
            $0.partition, $0.segment,
          ]
        })
  }
}

extension AgentMember {
  fileprivate var endpoint: String {
    (address.contains(":") ? "[\(address)]" : address) + ":\(port)"
  }

  fileprivate var statusName: String {
    switch status {
    case 1: "alive"
    case 2: "leaving"
    case 3: "left"
    case 4: "failed"
    default: "none"
    }
  }

  fileprivate var type: String {
    switch tags["role"] {
    case "consul": "server"
    case "node": "client"
    default: "unknown"
    }
  }

  /// The version without its revision.
  fileprivate var build: String {
    String((tags["build"] ?? "< 0.3").prefix { $0 != ":" })
  }

  fileprivate var partition: String {
    tags["ap"].flatMap { $0.isEmpty ? nil : $0 } ?? "default"
  }

  /// Servers are in all segments.
  fileprivate var segment: String {
    if tags["role"] == "consul" { return "<all>" }
    return tags["segment"].flatMap { $0.isEmpty ? nil : $0 } ?? "<default>"
  }

  fileprivate var tagList: String {
    tags.merging(["ap": partition]) { own, _ in own }
      .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }
}
