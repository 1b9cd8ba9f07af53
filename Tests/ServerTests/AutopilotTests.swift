import Model
import Testing

@testable import Server

private func server(
  _ id: String, index: UInt64 = 100, term: UInt64 = 2, status: String = "alive", contact: Int64? = 10,
  voter: Bool = true
) -> ServerObservation {
  var server = ServerObservation(id: id, address: "127.0.0.1:8300")
  server.nodeStatus = status
  server.lastIndex = index
  server.lastTerm = term
  server.lastContact = contact.map { GoDuration(nanoseconds: $0 * 1_000_000) }
  server.isVoter = voter
  return server
}

private func state(
  _ servers: [ServerObservation], after before: AutopilotState = AutopilotState(), at seconds: Int64 = 0
) -> AutopilotState {
  before.next(
    servers, leader: "a", configuration: AutopilotConfiguration(), now: Timestamp(unixSeconds: 1000 + seconds))
}

@Test(arguments: [
  (server("b"), true), (server("b", contact: 200), true), (server("b", contact: 201), false),
  (server("b", contact: nil), false), (server("b", term: 1), false), (server("b", status: "failed"), false),
  (server("b", index: 0), true),
])
func followersAreHealthyWhileTheyKeepUp(follower: ServerObservation, isHealthy: Bool) {
  let state = state([server("a", contact: 0), follower])
  #expect(state.servers[1].isHealthy == isHealthy)
  #expect(state.isHealthy == isHealthy)
}

@Test func serversThatTrailTooFarAreNotHealthy() {
  let state = state([server("a", index: 1000), server("b", index: 750), server("c", index: 749)])
  #expect(state.servers.map(\.isHealthy) == [true, true, false])
}

@Test func nobodyIsHealthyWithoutALeader() {
  let state = AutopilotState().next(
    [server("a")], leader: "", configuration: AutopilotConfiguration(), now: Timestamp(unixSeconds: 1))
  #expect(!state.isHealthy)
  #expect(!AutopilotState().isHealthy)
}

@Test(arguments: [(1, 1, 0), (2, 2, 0), (3, 3, 1), (3, 2, 0), (5, 5, 2), (5, 4, 1), (5, 2, 0)])
func toleranceIsWhatAMajorityCanSpare(voters: Int, healthy: Int, tolerance: Int) {
  let servers = (0..<voters).map { server($0 == 0 ? "a" : "s\($0)", status: $0 < healthy ? "alive" : "failed") }
  #expect(state(servers).failureTolerance == tolerance)
}

@Test func nonVotersDoNotCount() {
  let state = state([server("a"), server("b", voter: false)])
  #expect(state.voters == ["a"])
  #expect(state.failureTolerance == 0)
  #expect(state.servers.map(\.status) == ["leader", "non-voter"])
}

@Test func stabilityIsCountedFromTheLastChange() {
  let first = state([server("a"), server("b")])
  let second = state([server("a"), server("b")], after: first, at: 5)
  #expect(second.servers.map(\.stableSince.unixSeconds) == [1000, 1000])
  let third = state([server("a"), server("b", status: "failed")], after: second, at: 7)
  #expect(third.servers.map(\.stableSince.unixSeconds) == [1000, 1007])
}

@Test func bucketsLetASecondsWorthThroughAtOnceAndThenTheRate() {
  var bucket = TokenBucket(rate: 10, now: 0)
  #expect(admitted(12, by: &bucket, now: 0) == 10)
  #expect(admitted(1, by: &bucket, now: 99_000_000) == 0)
  #expect(admitted(2, by: &bucket, now: 100_000_001) == 1)
  #expect(admitted(20, by: &bucket, now: 60_000_000_000) == 10)
}

@Test func infiniteAndZeroRates() {
  var open = TokenBucket(rate: .infinity, now: 0)
  #expect(admitted(1000, by: &open, now: 0) == 1000)
  var closed = TokenBucket(rate: 0, now: 0)
  #expect(admitted(3, by: &closed, now: 1_000_000_000_000) == 1)
}

private func admitted(_ count: Int, by bucket: inout TokenBucket, now: UInt64) -> Int {
  var admitted = 0
  for _ in 0..<count where bucket.take(now: now) { admitted += 1 }
  return admitted
}
