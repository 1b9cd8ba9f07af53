import AgentConfiguration
import HTTPAPI
import Model
import Server

#if canImport(Glibc)
  import Glibc
#endif

// What the agent tells of itself, its statistics and its machine.
extension Agent {
  public func describe(_ writer: inout JSONWriter) {
    let it = configuration
    writer.beginObject()
    writer.member("Config")
    write(
      [
        ("Datacenter", .string(it.datacenter)), ("PrimaryDatacenter", .string(it.primaryDatacenter)),
        ("NodeName", .string(it.nodeName)), ("NodeID", .string(nodeID)), ("Revision", .string(Release.revision)),
        ("Server", .bool(it.isServer)), ("Version", .string(Release.version)),
        ("BuildDate", .string(Release.buildDate)),
      ], &writer)
    writer.member("DebugConfig")
    Dynamic.object(it.debugConfiguration(nodeID: nodeID, version: Release.version)).encodeJSON(&writer, [])
    if !it.disableCoordinates {
      writer.member("Coord")
      ownCoordinate.encodeJSON(&writer)
    }
    writer.member("Member")
    AgentMember(ownMember).encodeJSON(&writer)
    writer.member("Stats")
    writer.beginObject()
    for (section, entries) in statistics {
      writer.member(section)
      write(entries.map { ($0.0, .string($0.1)) }, &writer)
    }
    writer.endObject()
    writer.member("Meta")
    it.shownNodeMeta.encodeJSON(&writer, [])
    describeProxies(it, &writer)
    writer.endObject()
  }

  private func write(_ members: [(String, Dynamic)], _ writer: inout JSONWriter) {
    writer.beginObject()
    for (name, value) in members {
      writer.member(name)
      value.encodeJSON(&writer, [])
    }
    writer.endObject()
  }

  /// Where this node is in the network's latency space; without measurements, at its origin.
  private var ownCoordinate: Coordinate {
    if let measured = pools.lan?.coordinate { return measured }
    var coordinate = Coordinate()
    coordinate.vec = [Double](repeating: 0, count: 8)
    coordinate.error = 1.5
    coordinate.height = 1e-5
    return coordinate
  }

  private func describeProxies(_ it: RuntimeConfiguration, _ writer: inout JSONWriter) {
    guard it.isServer || it.ports.grpc > 0 else { return }
    writer.member("xDS")
    let envoys: Dynamic = ["envoy": ["1.34.1", "1.33.2", "1.32.5", "1.31.8"]]
    write(
      [
        ("SupportedProxies", envoys),
        ("Port", .int(Int64(it.ports.grpcTLS > 0 ? it.ports.grpcTLS : it.ports.grpc))),
        ("Ports", ["Plaintext": .int(Int64(it.ports.grpc)), "TLS": .int(Int64(it.ports.grpcTLS))]),
      ], &writer)
  }

  // MARK: Statistics

  private var statistics: [(String, [(String, String)])] {
    var sections = [("agent", agentStatistics), ("build", buildStatistics), ("consul", clusterStatistics)]
    if let server { sections.append(("raft", raftStatistics(server.raft.currentStatus))) }
    sections.append(("runtime", runtimeStatistics))
    if let lan = pools.lan { sections.append(("serf_lan", lan.statisticsTable.map { ($0.name, $0.value) })) }
    if let wan = pools.wan { sections.append(("serf_wan", wan.statisticsTable.map { ($0.name, $0.value) })) }
    return sections
  }

  private var agentStatistics: [(String, String)] {
    let checks = local.checks()
    let ttls = checks.filter { $0.type == "ttl" }.count
    return [
      ("check_monitors", String(checks.filter { $0.type == "script" }.count)), ("check_ttls", String(ttls)),
      ("checks", String(checks.count)), ("services", String(local.services().count)),
    ]
  }

  private var buildStatistics: [(String, String)] {
    [
      ("prerelease", ""), ("revision", Release.revision), ("version", Release.version), ("version_metadata", ""),
    ]
  }

  private var clusterStatistics: [(String, String)] {
    let it = configuration
    guard let server else {
      return [
        ("acl", it.acl.enabled ? "enabled" : "disabled"),
        ("known_servers", String(members.servers.count { $0.status == .alive })), ("server", "false"),
      ]
    }
    return [
      ("acl", it.acl.enabled ? "enabled" : "disabled"), ("bootstrap", String(it.bootstrap)),
      ("known_datacenters", String(max(members.datacenters.count, 1))), ("leader", String(server.isLeader)),
      ("leader_addr", server.leaderAddress), ("server", "true"),
    ]
  }

  private var runtimeStatistics: [(String, String)] {
    let cores = String(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    #if arch(x86_64)
      let architecture = "amd64"
    #else
      let architecture = "arm64"
    #endif
    return [
      ("arch", architecture), ("cpu_count", cores), ("goroutines", "0"), ("max_procs", cores), ("os", "linux"),
      ("version", "swift"),
    ]
  }
}
