import AccessControl
import Model
import Testing

@testable import HTTPAPI

/// A token may read keys, and write those below `app/`.
private struct KeyResolver: AuthorizerResolver {
  struct Keys: Authorizer {
    let accessorID = "accessor"
    func allows(_ permission: Permission) -> Bool {
      switch permission {
      case .keyRead(let key): key != "hidden"
      case .keyWrite(let key), .keyWritePrefix(let key): key.hasPrefix("app/")
      default: false
      }
    }
  }

  func authorizer(for token: String) throws(AccessControlError) -> any Authorizer {
    if token == "unknown" { throw .notFound }
    return Keys()
  }
}

@Suite struct TransactionEndpointTests {
  private static let origin =
    "\"Index\":1,\"LastContact\":0,\"KnownLeader\":true,\"ConsistencyLevel\":\"\",\"NotModified\":false,\"Backend\":0,"
    + "\"ResultsFilteredByACLs\":false}"
  private static let get = "[{\"KV\":{\"Verb\":\"get\",\"Key\":\"a\"}}]"
  private static let set = "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"a\",\"Value\":\"eA==\"}}]"

  @Test func writesAndReads() throws {
    let client = try Client()
    let written = try client.call("PUT /v1/txn", body: Self.set)
    #expect(written.status == 200 && written["X-Consul-KnownLeader"] == nil && written["X-Consul-Index"] == nil)
    #expect(
      written.body
        == "{\"Results\":[{\"KV\":{\"LockIndex\":0,\"Key\":\"a\",\"Flags\":0,\"Value\":null,\"CreateIndex\":11,"
        + "\"ModifyIndex\":11}}],\"Errors\":null}")
    let read = try client.call("PUT /v1/txn", body: Self.get)
    #expect(
      read.body
        == "{\"Results\":[{\"KV\":{\"LockIndex\":0,\"Key\":\"a\",\"Flags\":0,\"Value\":\"eA==\",\"CreateIndex\":11,"
        + "\"ModifyIndex\":11}}],\"Errors\":null," + Self.origin)
    #expect(read["X-Consul-KnownLeader"] == "true" && read["X-Consul-LastContact"] == "0")
    #expect(read["X-Consul-Index"] == nil)
    #expect(client.backend.store.current.appliedIndex == 11)
  }

  @Test func whatFailsIsAConflictAndChangesNothing() throws {
    let client = try Client()
    let body =
      "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"a\",\"Value\":\"eA==\"}},{\"Node\":{\"Verb\":\"get\",\"Node\":{\"Node\":\"n\"}}}]"
    let response = try client.call("PUT /v1/txn", body: body)
    #expect(response.status == 409)
    #expect(
      response.body == "{\"Results\":null,\"Errors\":[{\"OpIndex\":1,\"What\":\"node \\\"n\\\" doesn't exist\"}]}")
    #expect(try client.call("GET /v1/kv/a").status == 404)
  }

  @Test func refusedReadsComeFromNowhere() throws {
    let response = try Client().call("PUT /v1/txn", body: "[{\"KV\":{\"Verb\":\"jump\",\"Key\":\"a\"}}]")
    #expect(response.status == 409 && response["X-Consul-KnownLeader"] == "false")
    #expect(response.body.contains("\"Index\":0,\"LastContact\":0,\"KnownLeader\":false"))
  }

  @Test(arguments: [
    ("PUT /v1/txn", "", 400, "Failed to parse body: EOF"),
    ("PUT /v1/txn", " ", 400, "Failed to parse body: EOF"),
    ("PUT /v1/txn", "[", 400, "Failed to parse body: unexpected EOF"),
    ("PUT /v1/txn", "not json", 400, "Failed to parse body: invalid character 'o' in literal null (expecting 'u')"),
    ("PUT /v1/txn", "[null]", 400, "Failed to parse body: operation 0 is null"),
    (
      "PUT /v1/txn?stale&consistent", get, 400, "Cannot specify ?stale with ?consistent, conflicting semantics."
    ),
    ("PUT /v1/txn?dc=elsewhere", get, 500, "No path to datacenter"),
    ("PUT /v1/txn?dc=elsewhere", set, 500, "No path to datacenter"),
    ("POST /v1/txn", set, 405, "method POST not allowed"),
  ])
  func refusals(_ request: String, _ body: String, _ status: Int, _ text: String) throws {
    let response = try Client().call(request, body: body)
    #expect(response.status == status)
    #expect(response.body == text)
  }

  @Test(arguments: [
    ("PUT /v1/txn?stale", get, 409), ("PUT /v1/txn?consistent", get, 409), ("PUT /v1/txn?index=1&wait=5m", get, 409),
    ("PUT /v1/txn?ns=team&partition=p", set, 200), ("PUT /v1/txn?stale&consistent", set, 200),
    ("PUT /v1/txn", "[] trailing", 200), ("PUT /v1/txn", "null", 200),
  ])
  func parametersThatDoNotApplyAreIgnored(_ request: String, _ body: String, _ status: Int) throws {
    #expect(try Client().call(request, body: body).status == status)
  }

  @Test func bodiesAndValuesAreLimited() throws {
    let client = try Client {
      $0.transactionLimit = 60
      $0.kvValueLimit = 1
    }
    #expect(try client.call("PUT /v1/txn", body: Self.set).status == 200)
    let long = try client.call("PUT /v1/txn", body: Self.set + String(repeating: " ", count: 30))
    #expect(long.status == 413)
    #expect(long.body.hasPrefix("Request body(") && long.body.hasSuffix("#txn_max_req_len."))
    let large = try client.call("PUT /v1/txn", body: "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"a\",\"Value\":\"eHg=\"}}]")
    #expect(large.status == 413 && large.body == "Value for key \"a\" is too large (2 > 1 bytes)")
  }

  @Test func everyOperationNeedsItsRight() throws {
    let client = try Client(resolver: KeyResolver())
    for key in ["hidden", "seen"] {
      var entry = KVEntry()
      entry.key = key
      client.backend.apply(.kvs(KVSRequest(op: .set, entry: entry)))
    }
    let token = ["X-Consul-Token": "t"]
    #expect(try client.call("PUT /v1/txn", ["X-Consul-Token": "unknown"], body: Self.get).status == 403)
    let denied = try client.call(
      "PUT /v1/txn", token,
      body:
        "[{\"KV\":{\"Verb\":\"set\",\"Key\":\"app/a\",\"Value\":\"eA==\"}},{\"KV\":{\"Verb\":\"delete\",\"Key\":\"b\"}}]"
    )
    #expect(denied.status == 409 && denied["X-Consul-Denied"] == "accessor key:write \"b\"")
    #expect(
      denied.body
        == "{\"Results\":null,\"Errors\":[{\"OpIndex\":1,\"What\":\"Permission denied: token with AccessorID 'accessor' "
        + "lacks permission 'key:write' on \\\"b\\\"\"}]}")
    #expect(client.backend.store.current.kvEntry("app/a").value == nil)
    let filtered = try client.json("PUT /v1/txn", token, body: "[{\"KV\":{\"Verb\":\"get-tree\",\"Key\":\"\"}}]")
    #expect(filtered["Errors"]?.array?.first?["What"]?.string == "Must provide key")
    let some = try client.json(
      "PUT /v1/txn", token,
      body: "[{\"KV\":{\"Verb\":\"get\",\"Key\":\"hidden\"}},{\"KV\":{\"Verb\":\"get\",\"Key\":\"seen\"}}]")
    #expect(some["Results"]?.array?.map { $0["KV"]?["Key"]?.string } == ["seen"])
    #expect(some["ResultsFilteredByACLs"]?.bool == true)
  }
}
