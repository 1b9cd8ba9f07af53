import Testing

@testable import Server

extension ClusterMember {
  /// A server of dc1 as its tags tell, changed by `tags`; a nil value takes a tag away.
  static func server(
    _ name: String, _ address: String = "10.0.0.1", status: Status = .alive, tags: [String: String?] = [:]
  ) -> ClusterMember {
    var all: [String: String] = [
      "role": "consul", "dc": "dc1", "id": "id-\(name)", "port": "8300", "vsn": "2", "raft_vsn": "3",
      "build": "1.21.4:abcdef01", "wan_join_port": "8302", "grpc_tls_port": "8503",
    ]
    for (key, value) in tags { all[key] = value }
    return ClusterMember(name: name, address: address, port: 8301, tags: all, status: status)
  }

  static func client(_ name: String, _ address: String = "10.0.1.1", status: Status = .alive) -> ClusterMember {
    ClusterMember(
      name: name, address: address, port: 8301, tags: ["role": "node", "dc": "dc1", "id": "id-\(name)"], status: status)
  }
}

@Suite("Members of a pool")
struct ClusterMemberTests {
  @Test func aServerTellsByItsTagsHowItIsReached() throws {
    let server = try #require(ServerMember(.server("s1", tags: ["expect": "3", "use_tls": "1", "read_replica": "1"])))
    #expect(server.rpcAddress == "10.0.0.1:8300")
    #expect(server.expect == 3)
    #expect(server.usesTLS && server.isReadReplica && !server.bootstraps)
    #expect(server.version == "1.21.4")
    #expect((server.grpcPort, server.grpcTLSPort, server.wanPort) == (nil, 8503, 8302))
    #expect(ServerMember(.server("s1", "fe80::1"))?.rpcAddress == "[fe80::1]:8300")
  }

  @Test(
    arguments: [
      ["role": "node"], ["role": nil], ["port": nil], ["port": "x"], ["port": "0"], ["port": "70000"], ["vsn": nil],
      ["expect": "many"], ["raft_vsn": ""], ["wan_join_port": "x"], ["ft_si": "yes"], ["build": nil], ["build": "1.21"],
      ["build": "x.y.z"], ["grpc_tls_port": "-1"],
    ] as [[String: String?]])
  func tagsThatMakeNoSenseMakeNoServer(tags: [String: String?]) {
    #expect(ServerMember(.server("s1", tags: tags)) == nil)
  }

  @Test func theTableKnowsServersByPoolAndDatacenter() {
    let table = MemberTable(datacenter: "dc1")
    table.put(.server("s2"))
    table.put(.server("S1"))
    table.put(.client("c1"))
    table.put(.server("far", tags: ["dc": "dc2"]))
    table.put(.server("s1.dc1"), in: .wan)
    table.put(.server("s9.dc2", tags: ["dc": "dc2"]), in: .wan)
    table.put(.server("s8.dc2", status: .failed, tags: ["dc": "dc2"]), in: .wan)
    #expect(table.servers.map(\.name) == ["S1", "s2"])
    #expect(table.members().map(\.name) == ["S1", "c1", "far", "s2"])
    #expect(table.datacenters == ["dc1", "dc2"])
    // Who failed may be back before gossip has noticed.
    #expect(table.candidates(in: "dc2").map(\.name) == ["s8.dc2", "s9.dc2"])
    #expect(table.server(id: "id-s2")?.name == "s2")
    table.forget(.server("s2"))
    #expect(table.servers.map(\.name) == ["S1"])
    #expect(table.member(named: "s1")?.name == "S1")
  }
}
