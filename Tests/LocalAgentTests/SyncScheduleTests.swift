import Testing

@testable import LocalAgent

@Suite struct SyncScheduleTests {
  private static let second: UInt64 = 1_000_000_000

  /// A schedule with its clock; chance always takes half.
  private struct Clock {
    var schedule = SyncSchedule()
    var now: UInt64 = 0
    var clusterSize = 1

    mutating func step(_ event: SyncSchedule.Event, after seconds: UInt64 = 0) -> [SyncSchedule.Effect] {
      now += seconds * SyncScheduleTests.second
      return schedule.step(event, now: now, clusterSize: clusterSize) { $0 / 2 }
    }
  }

  @Test("everything is compared at the start, then after an interval")
  func regular() {
    var clock = Clock()
    #expect(clock.step(.started) == [.compareAll(periodic: false)])
    #expect(clock.step(.finished(success: true), after: 1) == [.wake(at: 91 * Self.second)])
    #expect(clock.step(.timer, after: 90) == [.compareAll(periodic: true)])
    #expect(clock.step(.finished(success: true)) == [.wake(at: 151 * Self.second)])
  }

  @Test("a change is sent at once, those during a round after it")
  func changes() {
    var clock = Clock()
    _ = clock.step(.started)
    _ = clock.step(.finished(success: true))
    let timer = SyncSchedule.Effect.wake(at: 90 * Self.second)
    #expect(clock.step(.changed) == [.sendChanges, timer])
    #expect(clock.step(.changed) == [timer])
    #expect(clock.step(.changed) == [timer])
    #expect(clock.step(.finished(success: true)) == [.sendChanges, timer])
    #expect(clock.step(.finished(success: true)) == [timer])
  }

  @Test("before the first comparison succeeds nothing is sent, and it is tried again")
  func noServers() {
    var clock = Clock()
    _ = clock.step(.started)
    let retry = SyncSchedule.Effect.wake(at: 22_500_000_000)
    #expect(clock.step(.finished(success: false)) == [retry])
    #expect(clock.step(.changed) == [retry])
    #expect(clock.step(.serversAvailable) == [.compareAll(periodic: false)])
    #expect(clock.step(.finished(success: true)) == [.wake(at: 90 * Self.second)])
  }

  @Test("a failure leads to a whole comparison after the retry time")
  func retries() {
    var clock = Clock()
    _ = clock.step(.started)
    _ = clock.step(.finished(success: true))
    _ = clock.step(.changed)
    #expect(clock.step(.finished(success: false)) == [.wake(at: 22_500_000_000)])
    #expect(clock.step(.timer, after: 23) == [.compareAll(periodic: false)])
  }

  @Test("a new leader spreads the comparisons of the agents")
  func newLeader() {
    var clock = Clock()
    _ = clock.step(.started)
    _ = clock.step(.finished(success: true))
    #expect(clock.step(.serversAvailable, after: 10) == [.wake(at: 11_500_000_000)])
    #expect(clock.step(.timer, after: 2) == [.compareAll(periodic: true)])
  }

  @Test("nothing runs during a pause; what came up runs after the last one ended")
  func pauses() {
    var clock = Clock()
    #expect(clock.step(.paused) == [])
    #expect(clock.step(.paused) == [])
    #expect(clock.step(.started) == [])
    #expect(clock.step(.resumed) == [])
    #expect(clock.step(.resumed) == [.compareAll(periodic: false)])
  }

  @Test("nothing runs after the end")
  func stopped() {
    var clock = Clock()
    _ = clock.step(.started)
    _ = clock.step(.stopped)
    #expect(clock.step(.finished(success: true)) == [])
    #expect(clock.step(.changed) == [])
    #expect(clock.step(.timer, after: 1000) == [])
  }

  @Test(
    "the times grow with the size of the cluster",
    arguments: [(1, 1), (128, 1), (129, 2), (256, 2), (257, 3), (512, 3), (513, 4), (1024, 4), (8192, 7)])
  func scale(size: Int, factor: UInt64) {
    #expect(SyncSchedule.scale(clusterSize: size) == factor)
    var clock = Clock(clusterSize: size)
    _ = clock.step(.started)
    #expect(clock.step(.finished(success: true)) == [.wake(at: factor * 90 * Self.second)])
  }
}
