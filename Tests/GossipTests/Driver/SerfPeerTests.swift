import Foundation
import Model
import Synchronization
import Testing

@testable import Gossip

/// Pools of ours together with real agents of Serf.
@Suite(.enabled(if: SerfPeer.isInstalled, "serf is not installed (Debian package serf)"))
struct SerfPeerTests {
  @Test func eitherSideJoinsTheOther() async throws {
    let serf = try await SerfPeer.start("serf", "127.62.1.1", ["-tag", "role=db"])
    let ours = try await TestPool.start("ours", "127.62.1.2") { $0.tags = ["role": "web"] }
    let third = try await TestPool.start("third", "127.62.1.3")
    #expect(await ours.pool.join([serf.address]).joinedCount == 1)
    try await serf.run(["join", third.address])
    try await eventually { try await serf.members() == ["ours alive role=web", "serf alive role=db", "third alive"] }
    try await eventually { ours.pool.members.map(\.name) == ["ours", "serf", "third"] }
    #expect(ours.pool.members[1].tags == ["role": "db"])
    #expect(ours.pool.members[1].versions.delegateMaximum == 5)

    try await serf.run(["tags", "-set", "role=cache"])
    try await eventually { ours.pool.members[1].tags == ["role": "cache"] }
    try ours.pool.setTags(["role": "web", "more": "1"])
    try await eventually { try await serf.members()[0].contains("more=1") }
    try await stop([ours, third], [serf])
  }

  @Test func userEventsReachBothSides() async throws {
    let serf = try await SerfPeer.start("serf", "127.62.2.1")
    let ours = try await TestPool.start("ours", "127.62.2.2")
    _ = await ours.pool.join([serf.address])
    try await eventually { try await serf.members().count == 2 }
    try ours.pool.fire("deploy", payload: Array("v1".utf8))
    try await eventually { serf.events == ["deploy 1 v1"] }
    try await serf.run(["event", "-coalesce=false", "reload", "now"])
    try await eventually { ours.log.userEvents == ["deploy", "reload"] }
    guard case .userEvent(let event)? = ours.log.all.last else {
      Issue.record("a user event expected")
      return
    }
    #expect(event.payload == Array("now".utf8))
    #expect(event.lamportTime == 2)
    #expect(!event.coalesces)
    try await stop([ours], [serf])
  }

  @Test func queriesAreAskedAndAnsweredByBothSides() async throws {
    let serf = try await SerfPeer.start("serf", "127.62.3.1", ["-tag", "role=db"])
    let ours = try await TestPool.start("ours", "127.62.3.2")
    let third = try await TestPool.start("third", "127.62.3.3")
    _ = await ours.pool.join([serf.address])
    _ = await third.pool.join([serf.address])
    try await eventually { try await serf.members().count == 3 && ours.pool.members.count == 3 }

    let outcomes = Mutex<[QueryOutcome]>([])
    var options = QueryOptions()
    options.wantsAcknowledgement = true
    options.relayFactor = 1
    options.filters = [.tag(name: "role", expression: "^d")]
    try await ours.pool.query("uptime", payload: Array("us".utf8), options: options) { outcome in
      outcomes.withLock { $0.append(outcome) }
    }
    try await eventually { outcomes.withLock { $0.last } == .finished }
    #expect(
      outcomes.withLock { $0 } == [
        .acknowledged(by: "serf"), .answered(by: "serf", payload: Array("answer of serf to us\n".utf8)), .finished,
      ])

    async let answer = serf.run(["query", "-timeout=3s", "-relay-factor=1", "-node=ours", "load", "please"])
    try await eventually { ours.log.all.contains { if case .query = $0 { true } else { false } } }
    for case .query(let query) in ours.log.all {
      #expect(query.payload == Array("please".utf8))
      #expect(query.source == "serf")
      try await ours.pool.respond(to: query, payload: Array("0.5".utf8))
    }
    let text = try await answer
    #expect(text.contains("Ack from 'ours'"))
    #expect(text.contains("Response from 'ours': 0.5"))
    try await stop([ours, third], [serf])
  }

  @Test(arguments: [16, 32]) func keysAreExchangedWithEncryption(_ keyCount: Int) async throws {
    let ip = "127.62.4.\(keyCount)"
    let first = [UInt8](repeating: 1, count: keyCount)
    let second = [UInt8](repeating: 2, count: 32)
    let keyring = try GossipKeyring(keys: [first])
    let serf = try await SerfPeer.start("serf", ip, ["-encrypt=\(Base64.encode(first))"])
    let ours = try await TestPool.start("ours", "127.62.5.\(keyCount)") { $0.keyring = keyring }
    #expect(await ours.pool.join([serf.address]).joinedCount == 1)
    try await eventually { try await serf.members().count == 2 }
    // Serf installs keys only where it has a keyring file, but it can be asked for them, and it can ask.
    let list = try await ours.pool.keys(.list)
    #expect(list.keys == [Base64.encode(first): 2])
    #expect(list.primaryKeys == [Base64.encode(first): 2] || list.primaryKeys == [Base64.encode(first): 1])
    for operation in [KeyOperation.install(second), .use(second), .remove(first)] {
      let result = try await ours.pool.keys(operation)
      #expect(result.responseCount == 2)
      #expect(result.errorCount == 0, "\(result.messages)")
    }
    #expect(ours.pool.keyring.keys == [second])
    let shown = try await serf.run(["keys", "-list"])
    #expect(shown.contains(Base64.encode(second)))
    #expect(!shown.contains(Base64.encode(first)))
    // The other way round.
    try await serf.run(["keys", "-install=\(Base64.encode(first))"])
    try await eventually { ours.pool.keyring.keys == [second, first] }
    try ours.pool.fire("still", payload: [])
    try await eventually { serf.events.count == 1 }
    try await stop([ours], [serf])
  }

  @Test func leavingAndFailingAreToldApart() async throws {
    let serf = try await SerfPeer.start("serf", "127.62.6.1")
    let other = try await SerfPeer.start("other", "127.62.6.2")
    let ours = try await TestPool.start("ours", "127.62.6.3") { $0.probeInterval = .milliseconds(200) }
    let third = try await TestPool.start("third", "127.62.6.4")
    #expect(await ours.pool.join([serf.address, other.address]).joinedCount == 2)
    _ = await third.pool.join([ours.address])
    try await eventually { try await serf.members().count == 4 && ours.pool.members.count == 4 }

    await third.pool.leave()
    await third.pool.stop()
    try await eventually { try await serf.members().contains("third left") }
    try await eventually { ours.status(of: "third") == .left }

    try await other.run(["leave"])
    try await eventually { ours.status(of: "other") == .left }

    serf.agent.signal(SIGSTOP)
    try await eventually(.seconds(60)) { ours.status(of: "serf") == .failed }
    // A starved machine may have suspected others in between, but they are not counted as failed in the end.
    #expect(ours.log.failed.last == "serf")
    #expect(ours.status(of: "third") == .left && ours.status(of: "other") == .left)
    serf.agent.signal(SIGCONT)
    try await eventually(.seconds(90)) { ours.status(of: "serf") == .alive }

    await ours.pool.stop()
    try await eventually(.seconds(60)) { try await serf.members().contains("ours failed") }
    try await stop([], [serf, other])
  }

  @Test func coordinatesAreLearnt() async throws {
    let serf = try await SerfPeer.start("serf", "127.62.7.1")
    let ours = try await TestPool.start("ours", "127.62.7.2") { $0.probeInterval = .milliseconds(100) }
    _ = await ours.pool.join([serf.address])
    try await eventually {
      let known = await ours.pool.coordinates()
      guard let own = known["ours"], let theirs = known["serf"] else { return false }
      return own.error < 1.4 && own.distance(to: theirs) < 0.1
    }
    try await eventually { (try? await serf.run(["rtt", "serf", "ours"]))?.contains("rtt:") ?? false }
    try await stop([ours], [serf])
  }

  @Test func aSnapshotOfSerfIsUnderstoodAndTheOtherWayRound() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "serf-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let snapshot = "\(folder)/snapshot"
    let ours = try await TestPool.start("ours", "127.62.8.2")
    let serf = try await SerfPeer.start("serf", "127.62.8.1", ["-snapshot=\(snapshot)"])
    _ = await ours.pool.join([serf.address])
    // Serf writes what it has gathered when something else happens.
    try await eventually {
      try ours.pool.fire("tick", payload: [])
      return (try? String(contentsOfFile: snapshot, encoding: .utf8))?.contains("alive: ours 127.62.8.2:8301") ?? false
    }
    try await serf.stop()
    try await eventually(.seconds(60)) { ours.status(of: "serf") == .failed }
    // Another of ours takes the place of Serf, with its file.
    let heir = try await TestPool.start("serf", "127.62.8.1", snapshotPath: snapshot)
    try await eventually { ours.status(of: "serf") == .alive && heir.status(of: "ours") == .alive }
    let time = ours.pool.statistics.eventTime
    try ours.pool.fire("noted", payload: [])
    try await eventually {
      (try? String(contentsOfFile: snapshot, encoding: .utf8))?.contains("event-clock: \(time)\n") ?? false
    }
    await heir.pool.stop()
    try await eventually(.seconds(60)) { ours.status(of: "serf") == .failed }
    let again = try await SerfPeer.start("serf", "127.62.8.1", ["-snapshot=\(snapshot)"])
    try await eventually { try await again.members().contains("ours alive") }
    try await stop([ours], [again])
  }

  private func stop(_ pools: [TestPool], _ peers: [SerfPeer]) async throws {
    for pool in pools { await pool.pool.stop() }
    for peer in peers { try await peer.stop() }
  }
}
