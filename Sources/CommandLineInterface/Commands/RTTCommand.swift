import ConsulClient
import Model

/// `consul rtt`: how far two nodes are from each other.
enum RTTCommand {
  private static let wan = Flag.bool("wan", "Uses the coordinates of servers between datacenters.")
  private static let wrongNames = "Node names must be specified as <node name>.<datacenter> with -wan"

  static var command: Command {
    Command(
      usage: "Usage: consul rtt [options] node1 [node2]",
      about: """
        Estimates the time of a round trip between two nodes from the coordinates that gossip keeps of them. The second
        node is the agent's own if it is not named. With -wan both are servers, written as <node name>.<datacenter>.

            $ consul rtt n1 n2
            $ consul rtt -wan n1.dc1 n2.dc2
        """,
      clientFlags: ClientFlags.connection,
      flags: [wan.any],
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    guard (1...2).contains(invocation.arguments.count) else {
      throw CommandFailure("One or two node names must be specified", showsHelp: true)
    }
    let client = try invocation.client()
    let isWAN = invocation[wan]
    let first = invocation.arguments[0]
    let second = try await invocation.arguments.count == 2 ? invocation.arguments[1] : ownName(client, isWAN: isWAN)
    let pair: (Coordinate?, Coordinate?)
    if isWAN {
      pair = try await servers(first, second, client)
    } else {
      pair = try await nodes(first, second, client)
    }
    guard let a = pair.0 else { throw missing(first) }
    guard let b = pair.1 else { throw missing(second) }
    let milliseconds = fixed(a.distance(to: b) * 1000)
    invocation.console.out(
      "Estimated \(first) <-> \(second) rtt: \(milliseconds) ms (using \(isWAN ? "WAN" : "LAN") coordinates)")
    return 0
  }

  private static func missing(_ node: String) -> CommandFailure {
    CommandFailure("Could not find a coordinate for node \"\(node)\"")
  }

  private static func ownName(_ client: ConsulClient, isWAN: Bool) async throws -> String {
    let agent = try await explaining("Unable to look up agent info") { try await client.agent.describe() }
    let name = agent["Config"]?["NodeName"]?.string ?? ""
    return isWAN ? "\(name).\(agent["Config"]?["Datacenter"]?.string ?? "")" : name
  }

  /// Nodes may have coordinates in several segments: those of the same one belong together.
  private static func nodes(
    _ first: String, _ second: String, _ client: ConsulClient
  ) async throws -> (Coordinate?, Coordinate?) {
    let nodes = try await explaining("Error getting coordinates") { try await client.coordinates.nodes() }
    let a = nodes.filter { $0.node.lowercased() == first.lowercased() }
    let b = nodes.filter { $0.node.lowercased() == second.lowercased() }
    for one in a {
      if let other = b.first(where: { $0.segment == one.segment }) { return (one.coord, other.coord) }
    }
    return (a.first?.coord, a.isEmpty || b.isEmpty ? b.first?.coord : nil)
  }

  /// Distances between different areas mean nothing: without a pair from one, neither is known.
  private static func servers(
    _ first: String, _ second: String, _ client: ConsulClient
  ) async throws -> (Coordinate?, Coordinate?) {
    let (a, b) = (try parts(first), try parts(second))
    let areas = try await explaining("Error getting coordinates") { try await client.coordinates.datacenters() }
    let (found, others) = (Self.find(a, in: areas), Self.find(b, in: areas))
    for one in found {
      if let other = others.first(where: { $0.area == one.area }) { return (one.coordinate, other.coordinate) }
    }
    return (nil, nil)
  }

  private static func find(
    _ name: (node: String, datacenter: String), in areas: [Coordinates.Area]
  ) -> [(area: String, coordinate: Coordinate)] {
    areas.filter { $0.datacenter == name.datacenter }.flatMap { area in
      area.nodes.filter { $0.node.lowercased() == name.node.lowercased() }.map { (area.id, $0.coord ?? Coordinate()) }
    }
  }

  private static func parts(_ name: String) throws(CommandFailure) -> (node: String, datacenter: String) {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw CommandFailure(wrongNames) }
    return (String(parts[0]), String(parts[1]))
  }

  /// Three decimals.
  private static func fixed(_ value: Double) -> String {
    let thousandths = Int((value * 1000).rounded())
    let digits = String(thousandths % 1000)
    return "\(thousandths / 1000).\(String(repeating: "0", count: 3 - digits.count))\(digits)"
  }
}
