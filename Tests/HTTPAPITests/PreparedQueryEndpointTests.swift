import AccessControl
import Model
import NIOCore
import Server
import Testing

@testable import HTTPAPI

/// Tokens are rights: `read`, `write`, `management`; a query's own token `own` sees all services.
private struct QueryResolver: AuthorizerResolver {
  struct Token: Authorizer {
    let name: String
    var accessorID: String { name }
    func allows(_ permission: Permission) -> Bool {
      switch (name, permission) {
      case ("management", _), ("own", .serviceRead), ("own", .nodeRead), ("own", .nodeWrite): true
      case ("read", .queryRead), ("write", .queryRead), ("write", .queryWrite("geo")), ("write", .eventWrite("ok")):
        true
      default: false
      }
    }
  }

  func authorizer(for token: String) throws(AccessControlError) -> any Authorizer { Token(name: token) }
}

@Suite struct PreparedQueryEndpointTests {
  private static func id(_ response: Response) -> String { String(response.body.dropFirst(7).prefix(36)) }

  private func register(_ client: Client) throws {
    let body = #"{"Node":"n","Address":"192.0.2.1","Service":{"Service":"web","Port":80}}"#
    #expect(try client.call("PUT /v1/catalog/register?token=management", body: body).status == 200)
  }

  @Test func queriesAreCreatedReadChangedAndDeleted() throws {
    let client = try Client()
    try register(client)
    let created = try client.call("POST /v1/query", body: #"{"Name":"q","Service":{"Service":"web"}}"#)
    let id = Self.id(created)
    #expect(created.status == 200 && Identifier.isValid(id))
    let read = try client.call("GET /v1/query/\(id)")
    #expect(read.body.contains(#""Service":{"Service":"web","SamenessGroup":"","Failover":{"NearestN":0,"#))
    #expect(read["X-Consul-Index"] == "12")
    #expect(try client.call("PUT /v1/query/\(id)", body: #"{"Name":"r","Service":{"Service":"db"}}"#).status == 200)
    #expect(try client.call("GET /v1/query/q/execute").status == 404)
    #expect(try client.call("GET /v1/query/r/explain").body.contains(#""Service":"db""#))
    #expect(try client.call("DELETE /v1/query/\(id)").status == 200)
    let gone = try client.call("GET /v1/query/\(id)")
    #expect(gone.status == 404 && gone.body == "Query not found" && gone["X-Consul-KnownLeader"] == "false")
    #expect(try client.call("GET /v1/query").body == "[]")
  }

  @Test func resultsTellWhereTheyComeFrom() throws {
    let client = try Client()
    try register(client)
    _ = try client.call("POST /v1/query", body: #"{"Name":"q","Service":{"Service":"web"},"DNS":{"TTL":"7s"}}"#)
    let found = try client.call("GET /v1/query/q/execute?limit=3")
    #expect(found.status == 200 && found["X-Consul-Effective-Consistency"] == "leader")
    #expect(found.body.hasPrefix(#"{"Service":"web","Nodes":[{"Node":{"ID":"","Node":"n","#))
    #expect(found.body.contains(#""Checks":null}],"DNS":{"TTL":"7s"},"Datacenter":"dc1","PeerName":"","Failovers":0,"#))
    #expect(try client.call("GET /v1/query/q/execute?limit=x").status == 500)
    #expect(try client.call("GET /v1/query/q/execute?connect=x").status == 500)
    let wrong = try client.call("POST /v1/query/q/execute")
    #expect(wrong.status == 405 && wrong["Allow"] == "GET")
    #expect(try client.call("PUT /v1/query/q/explain", body: "{}")["Allow"] == "GET")
  }

  @Test func tokensSeeAndChangeWhatTheyMay() throws {
    let client = try Client(resolver: QueryResolver())
    try register(client)
    let geo = #"{"Name":"geo","Service":{"Service":"web"}}"#
    #expect(try client.call("POST /v1/query?token=read", body: geo).status == 403)
    let id = Self.id(try client.call("POST /v1/query?token=write", body: geo))
    let secret = #"{"Name":"s","Token":"own","Service":{"Service":"web"}}"#
    #expect(try client.call("POST /v1/query?token=write", body: secret).status == 403)
    #expect(try client.call("POST /v1/query?token=management", body: secret).status == 200)
    #expect(try client.call("GET /v1/query").body == "[]")
    let list = try client.call("GET /v1/query?token=read").body
    #expect(list.contains("\\u003chidden\\u003e") && !list.contains("\"own\""))
    #expect(try client.call("GET /v1/query?token=management").body.contains("\"own\""))
    #expect(try client.call("GET /v1/query/\(id)").status == 403)
    #expect(try client.call("GET /v1/query/geo/explain").status == 403)
    #expect(try client.call("GET /v1/query/geo/execute").body.contains("\"Nodes\":[]"))
    #expect(try client.call("GET /v1/query/s/execute").body.contains("192.0.2.1"))
    #expect(try client.call("DELETE /v1/query/\(id)?token=read").status == 403)
    #expect(try client.call("DELETE /v1/query/\(id)?token=write").status == 200)
  }

  // MARK: events

  @Test func eventsAreListedAndWaitedFor() throws {
    let client = try Client()
    #expect(try client.call("GET /v1/event/list").body == "[]")
    let fired = try client.call("PUT /v1/event/fire/deploy", body: "x")
    #expect(fired.body.contains(#""Name":"deploy","Payload":"eA==","#) && fired.body.contains(#""LTime":0}"#))
    let list = try client.call("GET /v1/event/list?name=deploy")
    let index = try #require(list["X-Consul-Index"])
    #expect(list.body.contains(#""LTime":2}]"#))
    try client.write("GET /v1/event/list?index=\(index)&wait=10s HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try client.response() == nil)
    let other = try Client(beside: client, through: client.gate)
    #expect(try other.call("PUT /v1/event/fire/next").status == 200)
    client.loop.run()
    #expect(try client.response()?.body.contains("\"next\"") == true)
    try client.write("GET /v1/event/list?name=none&index=1&wait=1s HTTP/1.1\r\nHost: a\r\n\r\n")
    client.loop.advanceTime(by: .seconds(2))
    #expect(try client.response()?.body == "[]")
    #expect(try client.call("PUT /v1/event/fire/").status == 400)
    #expect(try client.call("PUT /v1/event/fire/x?dc=other").body == "No path to datacenter")
  }

  @Test func eventsNeedTheirRight() throws {
    let client = try Client(resolver: QueryResolver())
    let refused = try client.call("PUT /v1/event/fire/no?token=write")
    #expect(refused.status == 403 && refused.body == "Permission denied")
    #expect(try client.call("PUT /v1/event/fire/ok?token=write").status == 200)
    #expect(try client.call("GET /v1/event/list?token=read").body == "[]")
  }

  // MARK: snapshots

  @Test func archivesAreSentInPiecesAndTaken() throws {
    let client = try Client()
    client.backend.archive.withLock { $0 = [Array("abc".utf8), Array("de".utf8)] }
    try client.write("GET /v1/snapshot HTTP/1.1\r\nHost: a\r\n\r\n")
    client.loop.run()
    let text = try client.read()
    #expect(text.contains("X-Consul-Index: 7\r\n") && text.contains("Content-Type: application/x-gzip\r\n"))
    #expect(text.hasSuffix("\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))
    let restored = try client.call("PUT /v1/snapshot", body: "archive")
    #expect(restored.status == 200 && restored["Content-Type"] == "application/octet-stream")
    #expect(client.backend.restored.withLock { $0 } == ["archive"])
    #expect(try client.call("GET /v1/snapshot?dc=other").body == "No path to datacenter")
  }

  @Test func snapshotsNeedManagement() throws {
    let client = try Client(resolver: QueryResolver())
    #expect(try client.call("GET /v1/snapshot?token=write").status == 403)
    #expect(try client.call("PUT /v1/snapshot?token=write", body: "x").status == 403)
    #expect(client.backend.restored.withLock { $0.isEmpty })
  }
}
