import Testing

@testable import Consensus

/// How a cluster begins (the dissertation, section 4.3).
@Suite struct SeedingTests {
  private let both = RaftConfiguration(servers: ["a", "b"].map { RaftServer(id: $0, address: $0 + ":1") })

  private func emptyCore(_ state: HardState = HardState()) -> RaftCore {
    var restored = RaftCore.Restored()
    restored.hardState = state
    return RaftCore(
      id: "a", address: "a:1", settings: RaftSettings(), restored: restored, seed: 1,
      now: MonotonicInstant(nanoseconds: 0))
  }

  private func seed(_ core: inout RaftCore, _ configuration: RaftConfiguration) -> [RaftEffect] {
    core.step(.seed(configuration), now: MonotonicInstant(nanoseconds: 0))
  }

  @Test func theFirstEntryIsTheConfigurationInTermOne() throws {
    var core = emptyCore()
    let effects = seed(&core, both)
    #expect(effects.persisted == HardState(term: 1))
    let entry = try #require(effects.appended.first)
    #expect((entry.index, entry.term, entry.kind) == (1, 1, .configuration))
    #expect(try RaftConfiguration(decoding: entry.data) == both)
    #expect(core.membership.latest == both)
    #expect(core.isVoter)
  }

  @Test func aSeedThatWasInterruptedBeforeItsEntryCanBeRepeated() {
    var core = emptyCore(HardState(term: 1))
    #expect(seed(&core, both).appended.count == 1)
  }

  @Test(arguments: [HardState(term: 2), HardState(term: 1, votedFor: "b:1")])
  func whoeverTookPartInAnotherClusterRefuses(state: HardState) {
    var core = emptyCore(state)
    let effects = seed(&core, both)
    #expect(effects.appended.isEmpty)
    #expect(core.log.lastIndex == 0)
    #expect(core.hardState == state)
  }

  @Test func aClusterIsSeededOnce() {
    var core = emptyCore()
    _ = seed(&core, both)
    #expect(seed(&core, both).appended.isEmpty)
  }

  @Test func aConfigurationWithoutVotersIsRefused() {
    var core = emptyCore()
    let nobody = RaftConfiguration(servers: [RaftServer(id: "a", address: "a:1", suffrage: .nonVoter)])
    #expect(seed(&core, nobody).appended.isEmpty)
    #expect(core.isUntouched)
  }

  @Test func anOnlyVoterLeadsAtOnce() {
    var core = emptyCore()
    _ = seed(&core, RaftConfiguration(servers: [RaftServer(id: "a", address: "a:1")]))
    _ = core.step(.tick, now: MonotonicInstant(nanoseconds: 1))
    #expect(core.isLeader)
  }
}
