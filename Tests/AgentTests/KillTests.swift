import Foundation
import Synchronization
import Testing

/// The promise of a durable write, kept by the real binary: an answer means that no sudden death takes it back.
@Suite struct KillTests {
  private static let roundCount = 50
  private static let address = "127.87.3.1"

  @Test(.timeLimit(.minutes(3))) func acknowledgedWritesSurviveKilling() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("seed \(seed)")
    var random = Seeded(state: seed)
    let folder = FileManager.default.temporaryDirectory.path + "/kill-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let arguments = [
      "agent", "-server", "-bootstrap-expect=1", "-node=victim", "-data-dir=\(folder)/data", "-log-level=warn",
      "-client=\(Self.address)", "-bind=\(Self.address)",
    ]
    let writers = (0..<4).map { Writer(number: $0) }
    var lastIndex: UInt64 = 0
    for round in 1...Self.roundCount {
      let agent = try AgentProcess(arguments: arguments, log: folder + "/log")
      defer { agent.waitUntilGone() }
      if Int.random(in: 0..<8, using: &random) == 0 {
        // Somewhere on its way up.
        usleep(UInt32.random(in: 0..<100_000, using: &random))
        agent.kill()
        continue
      }
      defer { agent.kill() }
      try waitForLeader(agent)
      let found = try Listing.read(Self.address)
      #expect(found.index >= lastIndex, "seed \(seed), round \(round): the index went back")
      lastIndex = found.index
      for writer in writers {
        do { try writer.check(found) } catch { throw AgentFailure("seed \(seed), round \(round): \(error)") }
      }
      let trigger = Trigger(agent, after: Int.random(in: 0..<400, using: &random))
      write(writers, until: trigger)
    }
    #expect(writers.allSatisfy { $0.acknowledgedCount > 0 }, "seed \(seed)")
  }

  private func waitForLeader(_ agent: AgentProcess) throws {
    while true {
      try agent.requireAlive()
      if var client = BlockingClient(address: Self.address, port: 8500) {
        while let response = client.send("GET", "/v1/status/leader") {
          if response.status == 200, response.body.count > 4 { return }
          usleep(1000)
        }
      }
      usleep(2000)
    }
  }

  /// Lets all writers write, each on a thread of its own, until the agent is gone.
  private func write(_ writers: [Writer], until trigger: Trigger) {
    let group = DispatchGroup()
    for writer in writers {
      group.enter()
      Thread.detachNewThread {
        if var client = BlockingClient(address: Self.address, port: 8500) {
          while writer.writeOne(on: &client, trigger) {}
        }
        group.leave()
      }
    }
    group.wait()
  }
}

/// Kills the agent at the n-th request or answer, whichever writer it is on, with the others in the middle of theirs.
private final class Trigger: Sendable {
  private let remaining: Atomic<Int>
  private let agent: AgentProcess

  init(_ agent: AgentProcess, after count: Int) {
    self.agent = agent
    remaining = Atomic(count)
  }

  func note() {
    if remaining.subtract(1, ordering: .relaxed).oldValue == 0 { agent.kill() }
  }
}

/// Writes 1, 2, 3 … to its keys in turn, one after another. So what is there after a death must be exactly what the
/// first n writes leave behind, with an n between the last answer and the last request.
private final class Writer: Sendable {
  private struct State {
    var sent = 0
    var acknowledged = 0
    /// Indexes that were seen, by write.
    var indexes: [Int: UInt64] = [:]
  }

  private static let keyCount = 20
  private let number: Int
  private let state = Mutex(State())

  init(number: Int) { self.number = number }

  var acknowledgedCount: Int { state.withLock { $0.acknowledged } }

  private func key(_ write: Int) -> String { "kill/\(number)/\(write % Self.keyCount)" }

  private func value(_ write: Int) -> String {
    "\(write):" + String(repeating: "v", count: write &* 7919 % 3000)
  }

  /// - Returns: false when the agent is gone.
  func writeOne(on client: inout BlockingClient, _ trigger: Trigger) -> Bool {
    let write = state.withLock { state in
      state.sent += 1
      return state.sent
    }
    trigger.note()
    guard let answer = client.send("PUT", "/v1/kv/" + key(write), Array(value(write).utf8)) else { return false }
    guard answer.status == 200 else { return false }
    state.withLock { $0.acknowledged = write }
    trigger.note()
    guard write % 4 == 0 else { return true }
    guard let read = client.send("GET", "/v1/kv/" + key(write)), read.status == 200,
      let entry = try? JSONDecoder().decode([Listing.Entry].self, from: Data(read.body)).first
    else { return false }
    state.withLock { $0.indexes[write] = entry.modifyIndex }
    return true
  }

  func check(_ found: Listing) throws {
    var present: [Int: (write: Int, entry: Listing.Entry)] = [:]
    for entry in found.entries where entry.key.hasPrefix("kill/\(number)/") {
      guard let text = entry.text, let write = text.split(separator: ":").first.flatMap({ Int($0) }),
        entry.key == key(write), text == value(write)
      else { throw AgentFailure("\(entry.key) has a value that was never written") }
      present[write % Self.keyCount] = (write, entry)
    }
    let last = present.values.map { $0.write }.max() ?? 0
    try state.withLock { state in
      guard last >= state.acknowledged, last <= state.sent else {
        throw AgentFailure(
          "writer \(number): write \(state.acknowledged) was acknowledged, \(last) is there "
            + "(\(found.entries.count) keys, index \(found.index), status \(found.status))")
      }
      for write in max(1, last - Self.keyCount + 1)...max(1, last) where last > 0 {
        guard let (found, entry) = present[write % Self.keyCount], found == write else {
          throw AgentFailure("writer \(number): write \(write) is missing, although \(last) is there")
        }
        if let index = state.indexes[write], index != entry.modifyIndex {
          throw AgentFailure("\(entry.key): index \(index) became \(entry.modifyIndex)")
        }
      }
      if let highest = state.indexes.values.max(), highest > found.index {
        throw AgentFailure("index \(highest) was seen, the agent is at \(found.index)")
      }
      state.sent = last
      state.acknowledged = last
    }
  }
}

/// All keys, and the index of the answer.
private struct Listing {
  struct Entry: Decodable {
    var key: String
    var value: Data?
    var modifyIndex: UInt64

    enum CodingKeys: String, CodingKey {
      case key = "Key"
      case value = "Value"
      case modifyIndex = "ModifyIndex"
    }

    var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
  }

  var entries: [Entry]
  var index: UInt64
  var status: Int

  /// Asks until the leader knows what was acknowledged before it.
  static func read(_ address: String) throws -> Listing {
    guard var client = BlockingClient(address: address, port: 8500) else { throw AgentFailure("nobody listens") }
    while let response = client.send("GET", "/v1/kv/kill/?recurse&consistent") {
      if response.status == 500 {
        usleep(1000)
        continue
      }
      guard let index = response.headers["x-consul-index"].flatMap({ UInt64($0) }) else { break }
      if response.status == 404 { return Listing(entries: [], index: index, status: 404) }
      let entries = try JSONDecoder().decode([Entry].self, from: Data(response.body))
      return Listing(entries: entries, index: index, status: response.status)
    }
    throw AgentFailure("the agent does not list its keys")
  }
}

private struct Seeded: RandomNumberGenerator {
  var state: UInt64

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed &>> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed &>> 31)
  }
}
