import ConsulClient
import Foundation
import Testing

/// Archives that are too large for memory go to disk as they come in.
@Suite struct RestoreTests {
  private static let address = "127.83.10.1"

  @Test(.timeLimit(.minutes(1))) func aLargeArchiveIsRestoredAndADamagedOneChangesNothing() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/restore-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let agent = try AgentProcess(
      arguments: [
        "agent", "-server", "-bootstrap-expect=1", "-node=restored", "-data-dir=\(folder)/data", "-log-level=warn",
        "-client=\(Self.address)", "-bind=\(Self.address)",
      ], log: folder + "/log")
    defer {
      agent.kill()
      agent.waitUntilGone()
    }
    let client = try ConsulClient(
      ClientConfiguration(address: AgentAddress(endpoint: .host(Self.address, port: 8500))))
    try await wait(for: agent, client)
    let values = (0..<60).map { _ in (0..<100_000).map { _ in UInt8.random(in: 0...255) } }
    for (number, value) in values.enumerated() { try await put("v/\(number)", value, client) }
    var archive: [UInt8] = []
    for try await piece in try await client.snapshots.save() { archive += piece }
    // More than may wait for the disk at once.
    try #require(archive.count > 5 << 20)
    try await put("v/0", Array("changed".utf8), client)

    var damaged = archive
    damaged[archive.count / 2] ^= 0xFF
    await #expect(throws: ClientError.self) { try await client.snapshots.restore(damaged) }
    #expect(try await get("v/0", client) == Array("changed".utf8))

    try await client.snapshots.restore(archive)
    for (number, value) in values.enumerated() { #expect(try await get("v/\(number)", client) == value) }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder + "/data")
    #expect(left.allSatisfy { !$0.hasPrefix("restore.") })
    await client.shutdown()
  }

  private func wait(for agent: AgentProcess, _ client: ConsulClient) async throws {
    while (try? await put("started", [], client)) == nil {
      try agent.requireAlive()
      usleep(2000)
    }
  }

  private func put(_ key: String, _ value: [UInt8], _ client: ConsulClient) async throws {
    try await client.perform(APIRequest("PUT", "/v1/kv/\(key)", body: value))
  }

  private func get(_ key: String, _ client: ConsulClient) async throws -> [UInt8] {
    try await client.perform(APIRequest("GET", "/v1/kv/\(key)", QueryOptions(), ["raw": "1"])).body
  }
}
