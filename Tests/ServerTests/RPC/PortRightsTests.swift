import AccessControl
import Model
import NIOCore
import Testing

@testable import Server

/// Whoever reaches the server port gets no more than over HTTP.
@Suite struct PortRightsTests {
  private static let secret = "11111111-2222-3333-4444-555555555555"
  private static let host = "127.87.9.1"

  private func message(_ server: TestServer, _ method: String, _ body: [UInt8]) async -> String {
    do {
      _ = try await server.client.call(method, body, to: server.address, on: server.loop)
      return ""
    } catch {
      return "\(error)"
    }
  }

  private func saving(_ server: TestServer, _ token: String) async -> String {
    var request = SnapshotRequest()
    request.token = token
    return await withCheckedContinuation { continuation in
      SnapshotCall.start(
        request, archive: nil, to: server.address, server.client.settings, on: server.loop
      ) { result in
        switch result {
        case .success: continuation.resume(returning: "")
        case .failure(let error): continuation.resume(returning: "\(error)")
        }
      }
    }
  }

  @Test func strangersGetNothingAndOperatorsEverything() async throws {
    var settings = AccessControlSettings(nodeName: "s1")
    settings.initialManagement = Secret(Self.secret)
    let server = try await TestServer(1, of: [Self.host], accessControl: settings)
    var own = KeyRequest()
    own.options.token = Self.secret
    // The token is made when the server begins to lead.
    while await message(server, "KVS.List", own.messagePack) != "" { await Task.yield() }

    var write = KVSRequest(op: .set, entry: KVEntry())
    write.dirEnt.key = "a"
    var peer = RaftRemovePeerRequest()
    peer.id = "s1"
    let requests: [(String, [UInt8])] = [
      ("KVS.Get", KeyRequest().messagePack), ("KVS.Apply", write.messagePack),
      ("Operator.RaftGetConfiguration", DCSpecificRequest().messagePack),
      ("Operator.RaftRemovePeerByID", peer.messagePack),
    ]
    for (method, body) in requests {
      let answer = await message(server, method, body)
      #expect(answer.contains("Permission denied"), "\(method): \(answer)")
    }
    #expect(await saving(server, "").contains("Permission denied"))
    #expect(await saving(server, "unknown").contains("ACL not found"))
    #expect(await saving(server, Self.secret) == "")
    await server.stop()
  }
}
