import ConsulClient
import Foundation
import Testing

/// Servers that come back without what they had on disk.
@Suite struct LostDiskTests {
  private let folder: AgentFolder

  init() throws { folder = try AgentFolder() }

  private func start(_ number: Int, name: String? = nil, id: String? = nil) throws -> AgentProcess {
    var settings: [String: Any] = [
      "server": true, "bootstrap_expect": 3, "retry_join": ["127.87.8.1", "127.87.8.2", "127.87.8.3"],
      // A server that has just joined votes at once.
      "autopilot": ["server_stabilization_time": "0s"],
    ]
    if let id { settings["node_id"] = id }
    return try folder.start(name ?? "s\(number)", "127.87.8.\(number)", settings)
  }

  private func voters(_ client: ConsulClient) async throws -> [String] {
    let servers = try await client.perform(APIRequest("GET", "/v1/operator/raft/configuration")).json()["Servers"]
    return (servers?.array ?? []).filter { $0["Voter"]?.bool == true }.compactMap { $0["ID"]?.string }
  }

  @Test(.timeLimit(.minutes(3))) func aServerThatLostItsDiskIsANewOneAndOneWithAForeignIdIsToldSo() async throws {
    var processes: [AgentProcess] = []
    for number in 1...3 { processes.append(try start(number)) }
    let client = try AgentFolder.client("127.87.8.1")
    defer { Task { await client.shutdown() } }
    let before = try await folder.until {
      let ids = try await voters(client)
      return ids.count == 3 ? ids : nil
    }
    _ = try await folder.until {
      try await client.perform(APIRequest("PUT", "/v1/kv/a", body: Array("kept".utf8)))
    }
    let kept = try String(contentsOfFile: "\(folder.path)/s3/node-id", encoding: .utf8)
    folder.stop(processes[2])
    try FileManager.default.removeItem(atPath: "\(folder.path)/s3")
    _ = try start(3)
    // It has another id, and gets everything from the others.
    let after = try await folder.until {
      let ids = try await voters(client)
      return ids.count == 3 && !ids.contains(kept) ? ids : nil
    }
    #expect(Set(after).subtracting(before).count == 1)
    let third = try AgentFolder.client("127.87.8.3")
    defer { Task { await third.shutdown() } }
    var request = APIRequest("GET", "/v1/kv/a")
    request.add("raw")
    request.add("stale")
    let value = try await folder.until { [request] in try await third.perform(request).body }
    #expect(String(decoding: value, as: UTF8.self) == "kept")
    // Somebody else with the id of a member does not get in, and hears why.
    let stranger = try start(4, name: "s4", id: after[0])
    _ = try await folder.until { stranger.output.contains("conflicting node ID") ? true : nil }
    #expect(try await voters(client).count == 3)
  }
}
