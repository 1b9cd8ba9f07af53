import ConsulClient
import Foundation
import Synchronization
import Testing

/// Commands of others, on an agent that allows them.
@Suite struct RemoteExecTests {
  private static let address = "127.83.11.1"

  @Test(.timeLimit(.minutes(1))) func aCommandRunsAndItsOutputAndCodeComeBack() async throws {
    let folder = FileManager.default.temporaryDirectory.path + "/exec-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data("disable_remote_exec = false".utf8).write(to: URL(fileURLWithPath: folder + "/agent.hcl"))
    let agent = try AgentProcess(
      arguments: [
        "agent", "-dev", "-node=worker", "-log-level=warn", "-client=\(Self.address)", "-bind=\(Self.address)",
        "-config-file=\(folder)/agent.hcl",
      ], log: folder + "/log")
    defer {
      agent.kill()
      agent.waitUntilGone()
    }
    let client = try ConsulClient(
      ClientConfiguration(address: AgentAddress(endpoint: .host(Self.address, port: 8500))))
    while (try? await client.kv.put(KVPair(key: "started"))) == nil {
      try agent.requireAlive()
      usleep(2000)
    }
    var job = RemoteJob()
    job.script = Array("echo one; echo two >&2; exit 3".utf8)
    let output = Mutex<[UInt8]>([])
    let progress = try await RemoteExecution(client: client, job: job, prefix: "jobs", target: Events.Target())
      .run(replication: .zero) { answer in
        if case .output("worker", let bytes) = answer { output.withLock { $0 += bytes } }
      }
    #expect(progress.begun == ["worker"] && progress.codes == ["worker": 3])
    #expect(String(decoding: output.withLock { $0 }, as: UTF8.self) == "one\ntwo\n")
    #expect(try await client.kv.list(prefix: "jobs/").value.isEmpty)
    await client.shutdown()
  }
}
