import ConsulClient
import Model

/// `consul rtt`: how far apart two nodes are.
enum RTTCommand {
  private static let wan = Flag.bool(
    "wan", "Between servers of different datacenters, whose names are written as name.datacenter.")

  static var command: Command {
    Command(
      usage: "Usage: consul rtt [options] node1 [node2]",
      about: """
        Estimates the round-trip time between two nodes from their network coordinates, without sending anything between
        them. Without a second node, it is the agent's own.
        """,
      clientFlags: ClientFlags.query,
      flags: [wan.any],
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    guard (1...2).contains(invocation.arguments.count) else {
      throw CommandFailure("One or two node names must be specified", showsHelp: true)
    }
    let client = try invocation.client()
    var names = invocation.arguments
    if names.count == 1 {
      let agent = try await explaining("Unable to look up agent info") { try await client.agent.describe() }
      let name = agent["Config"]?["NodeName"]?.string ?? ""
      names.append(invocation[wan] ? "\(name).\(agent["Config"]?["Datacenter"]?.string ?? "")" : name)
    }
    let seconds = invocation[wan] ? try await wide(client, names) : try await local(client, names)
    invocation.console.out(
      "Estimated \(names[0]) <-> \(names[1]) rtt: \(milliseconds(seconds)) ms "
        + "(using \(invocation[wan] ? "WAN" : "LAN") coordinates)")
    return 0
  }

  private static func local(_ client: ConsulClient, _ names: [String]) async throws -> Double {
    let nodes = try await explaining("Error getting coordinates") { try await client.coordinates.nodes() }
    let found = try names.map { name in
      guard let node = nodes.first(where: { $0.node == name }), let place = node.coord else { throw missing(name) }
      return place
    }
    return found[0].distance(to: found[1])
  }

  private static func wide(_ client: ConsulClient, _ names: [String]) async throws -> Double {
    let parts = try names.map { name in
      guard let dot = name.lastIndex(of: "."), dot != name.startIndex else {
        throw CommandFailure("Node names must be specified as <node name>.<datacenter> with -wan")
      }
      return (node: String(name[..<dot]), datacenter: String(name[name.index(after: dot)...]))
    }
    let areas = try await explaining("Error getting coordinates") { try await client.coordinates.datacenters() }
    // Coordinates of different areas have nothing to do with each other.
    for area in Set(areas.map(\.area)) {
      let found = parts.compactMap { part in
        areas.first { $0.area == area && $0.datacenter == part.datacenter }?
          .coordinates.first { $0.node == part.node }?.coord
      }
      if found.count == 2 { return found[0].distance(to: found[1]) }
    }
    throw missing(names[0])
  }

  private static func missing(_ name: String) -> CommandFailure {
    CommandFailure("Could not find a coordinate for node \"\(name)\"")
  }

  /// With three digits behind the point.
  static func milliseconds(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e9 else { return "+Inf" }
    let micros = Int64((seconds * 1_000_000).rounded())
    let rest = String(micros % 1000)
    return "\(micros / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
  }
}
