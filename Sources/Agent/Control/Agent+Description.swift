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

  /// The origin of the coordinate space, where a node without measurements is.
  var ownCoordinate: Coordinate {
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
    sections += [("runtime", runtimeStatistics), ("serf_lan", gossipStatistics)]
    if isServer { sections.append(("serf_wan", gossipStatistics)) }
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
      return [("acl", it.acl.enabled ? "enabled" : "disabled"), ("known_servers", "0"), ("server", "false")]
    }
    return [
      ("acl", it.acl.enabled ? "enabled" : "disabled"), ("bootstrap", String(it.bootstrap)),
      ("known_datacenters", "1"), ("leader", String(server.isLeader)), ("leader_addr", server.leaderAddress),
      ("server", "true"),
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

  private var gossipStatistics: [(String, String)] {
    [
      ("coordinate_resets", "0"), ("encrypted", String(keyrings.isEncrypted)), ("event_queue", "0"),
      ("event_time", "1"), ("failed", "0"), ("health_score", "0"), ("intent_queue", "0"), ("left", "0"),
      ("member_time", "1"), ("members", "1"), ("query_queue", "0"), ("query_time", "1"),
    ]
  }
}
