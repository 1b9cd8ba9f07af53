import Consensus
import Model
import NIOCore
import NIOSSL
import Testing
import TransportSecurity
import Wire

@testable import Server

/// TLS on the server port: who gets in, who does not, and that a whole cluster works behind it.
@Suite struct SecurePortTests {
  private static let ping = RPCRequestHeader(sequence: 1, method: "Status.Ping").messagePack + RPCBody.empty

  private static func isAnswer(_ bytes: [UInt8]) throws -> Bool {
    var decoder = RPCMessageDecoder<RPCResponseHeader>(bodyBytesMax: 1 << 20)
    decoder.append(ByteBuffer(bytes: bytes))
    return try decoder.next()?.header.error.isEmpty == true
  }

  /// Whether a request is answered on a connection; false if the connection is closed instead.
  private static func answers(_ connection: RawConnection, _ bytes: [UInt8]) async throws -> Bool {
    // A handshake that fails also fails what was written, which is no news.
    try? await connection.write(bytes)
    let answer = try await connection.read(ping.count / 2)
    await connection.close()
    return answer.isEmpty ? false : try isAnswer(answer)
  }

  private static func files() throws -> TLSFiles {
    let files = try TLSFiles()
    try files.make("server", dnsNames: ["server.dc1.consul", "localhost"])
    try files.make("client", dnsNames: ["client.dc1.consul", "localhost"])
    return files
  }

  // MARK: A cluster

  @Test func threeServersThatVerifyEachOtherAreACluster() async throws {
    let files = try Self.files()
    let security = try files.security("server")
    let hosts = (1...3).map { "127.85.30.\($0)" }
    var servers: [TestServer] = []
    for number in 1...3 { servers.append(try await TestServer(number, of: hosts, security: security)) }
    while !servers.contains(where: \.node.isLeader) { await Task.yield() }
    let follower = try #require(servers.first { !$0.node.isLeader })
    try await follower.put("a", "through tls")
    for server in servers {
      while server.stored("a") != "through tls" { await Task.yield() }
    }
    #expect(try await follower.value("a", .consistent) == "through tls")
    // Archives have connections of their own, whose end is their end.
    let archive = try await follower.archive()
    try await follower.put("a", "later")
    try await follower.restore(archive)
    #expect(try await follower.value("a", .consistent) == "through tls")
    for server in servers { await server.stop() }
  }

  // MARK: Who gets in

  @Test func onlyConnectionsWithACertificateOfTheAuthorityGetIn() async throws {
    let files = try Self.files()
    try files.makeExpired("expired")
    try files.make("stranger", dnsNames: ["server.dc1.consul"], by: try TLSFiles.root("another"))
    let host = "127.85.31.1"
    let server = try await TestServer(1, of: [host], security: try files.security("server"))
    let announced: [UInt8] = [ServerProtocol.tls.rawValue]
    let request = [ServerProtocol.rpc.rawValue] + Self.ping
    func isAnswered(_ certificate: String?) async throws -> Bool {
      let connection = try await RawConnection.open(host, opening: announced, try files.client(certificate))
      return try await Self.answers(connection, request)
    }
    #expect(try await isAnswered("client"))
    #expect(try await isAnswered("server"))
    #expect(try await !isAnswered(nil))
    #expect(try await !isAnswered("expired"))
    #expect(try await !isAnswered("stranger"))
    let clear = try await RawConnection.open(host)
    #expect(try await !Self.answers(clear, request))
    // TLS inside TLS.
    let nested = try await RawConnection.open(host, opening: announced, try files.client("client"))
    #expect(try await !Self.answers(nested, announced + Self.ping))
    // Everybody else is still served.
    #expect(try await isAnswered("client"))
    await server.stop()
  }

  @Test func withoutVerificationConnectionsInClearGetInToo() async throws {
    let files = try Self.files()
    let host = "127.85.31.2"
    let server = try await TestServer(
      1, of: [host], security: try files.security("server") { $0.verifiesIncoming = false })
    let clear = try await RawConnection.open(host)
    #expect(try await Self.answers(clear, [0] + Self.ping))
    let secured = try await RawConnection.open(host, opening: [3], try files.client(nil))
    #expect(try await Self.answers(secured, [0] + Self.ping))
    await server.stop()
  }

  @Test func consensusIsForServersOnly() async throws {
    let files = try Self.files()
    // The cluster's own authority may give an agent any name that it asks for, and yet it is no server.
    try files.make("agent", dnsNames: ["server.dc1.consul"], uris: ["spiffe://x.consul/agent/client/dc/dc1/id/a"])
    let host = "127.85.31.3"
    let server = try await TestServer(1, of: [host], security: try files.security("server"))
    var vote = RaftPreVoteRecord()
    vote.header.protocolVersion = 3
    vote.header.id = Bytes(Array("s9".utf8))
    var writer = MessagePackWriter()
    vote.encode(&writer)
    let request = [ServerProtocol.raft.rawValue, RaftRequestType.requestPreVote.rawValue] + writer.bytes
    func answer(_ certificate: String) async throws -> [UInt8] {
      let connection = try await RawConnection.open(host, opening: [3], try files.client(certificate))
      try? await connection.write(request)
      let answer = try await connection.read(1)
      await connection.close()
      return answer
    }
    #expect(try await !answer("server").isEmpty)
    #expect(try await answer("client").isEmpty)
    #expect(try await answer("agent").isEmpty)
    await server.stop()
  }

  // MARK: Handshakes that come first

  @Test func aHandshakeThatComesFirstNamesTheProtocol() async throws {
    let files = try Self.files()
    let host = "127.85.31.4"
    let server = try await TestServer(
      1, of: [host], security: try files.security("server") { $0.verifiesIncoming = false })
    func isAnswered(_ certificate: String?, _ protocols: [String]) async throws -> Bool {
      let connection = try await RawConnection.open(
        host, opening: [], try files.client(certificate, protocols: protocols))
      return try await Self.answers(connection, Self.ping)
    }
    #expect(try await isAnswered("client", ["consul/rpc-single"]))
    #expect(try await isAnswered("client", ["h2", "consul/rpc-single"]))
    #expect(try await !isAnswered("client", []))
    #expect(try await !isAnswered("client", ["h2"]))
    // Here a certificate is always asked for.
    #expect(try await !isAnswered(nil, ["consul/rpc-single"]))
    await server.stop()
  }

  @Test func aHandshakeThatStopsHalfwayCostsItsConnectionOnly() async throws {
    let files = try Self.files()
    let host = "127.85.31.5"
    let server = try await TestServer(1, of: [host], security: try files.security("server")) {
      $0.handshakeTimeout = .milliseconds(200)
    }
    for opening in [[3], [3, 0x16, 3, 1, 2, 0, 1], [0x16, 3, 1, 2, 0, 1], [3, 0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]]
      as [[UInt8]]
    {
      let half = try await RawConnection.open(host)
      try await half.write(opening)
      // An alert may come before the end.
      #expect(try await half.readToEnd().count < 16)
    }
    await server.stop()
  }

  @Test func olderVersionsThanAllowedAreRefused() async throws {
    let files = try Self.files()
    let host = "127.85.31.6"
    let server = try await TestServer(
      1, of: [host], security: try files.security("server") { $0.minimumVersion = .tls13 })
    let old = try files.client("client") { $0.maximumTLSVersion = .tlsv12 }
    #expect(try await !Self.answers(try await RawConnection.open(host, opening: [3], old), [0] + Self.ping))
    let new = try files.client("client")
    #expect(try await Self.answers(try await RawConnection.open(host, opening: [3], new), [0] + Self.ping))
    await server.stop()
  }

  // MARK: Reload

  @Test func renewedCertificatesCountForNewConnectionsAndOldOnesStay() async throws {
    let files = try Self.files()
    let host = "127.85.31.7"
    let security = try files.security("server")
    let server = try await TestServer(1, of: [host], security: security)
    let early = try await RawConnection.open(host, opening: [3], try files.client("client"))
    try await early.write([0] + Self.ping)
    let first = try await early.read(Self.ping.count / 2)
    // All certificates are from another authority now.
    let other = try TLSFiles.root("another")
    let (before, oldClient) = (files, try files.client("client"))
    try before.write("ca.pem", other.certificate.pem)
    try before.make("server", dnsNames: ["server.dc1.consul"], by: other)
    try before.make("client", dnsNames: ["client.dc1.consul"], by: other)
    try security.update(before.settings("server"))
    #expect(try await !Self.answers(try await RawConnection.open(host, opening: [3], oldClient), [0] + Self.ping))
    let late = try await RawConnection.open(host, opening: [3], try before.client("client"))
    #expect(try await Self.answers(late, [0] + Self.ping))
    try await early.write(Self.ping)
    #expect(try await early.read(first.count * 2).count >= first.count * 2)
    await early.close()
    await server.stop()
  }

  // MARK: Diallers

  @Test func aDiallerSaysWhyItDoesNotTrustAServer() async throws {
    let files = try Self.files()
    try files.make("nameless", dnsNames: ["localhost"])
    let host = "127.85.31.8"
    let server = try await TestServer(1, of: [host], security: try files.security("nameless"))
    func failure(_ security: TransportSecurity) async throws -> String {
      let members = MemberTable(datacenter: "dc1")
      let outgoing = OutgoingSecurity(security, members: members)
      var settings = RPCClient.Settings()
      settings.upgrade = { outgoing.upgrade(to: $0) }
      let client = RPCClient(group: server.group, settings: settings)
      defer { client.shutdown() }
      do {
        _ = try await client.call("Status.Ping", [0x80], to: server.address, on: server.loop)
        return ""
      } catch {
        return "\(error)"
      }
    }
    let prefix = "rpc error getting client: failed to get conn: "
    #expect(
      try await failure(try files.security("client"))
        == prefix + "tls: failed to verify certificate: x509: certificate is valid for localhost, not server.dc1.consul"
    )
    #expect(try await failure(try files.security("client") { $0.verifiesServerHostname = false }) == "")
    let stranger = try TLSFiles()
    try stranger.make("client", dnsNames: ["localhost"])
    #expect(
      try await failure(try stranger.security("client") { $0.verifiesServerHostname = false })
        == prefix + "x509: certificate signed by unknown authority")
    await server.stop()
  }

  @Test func refusalsFillNoLog() {
    let log = RefusalLog(.init(label: "test"))
    let noted = (0..<1000).filter { _ in log.note("tls: x", from: nil) }
    #expect((1...20).contains(noted.count))
  }
}
