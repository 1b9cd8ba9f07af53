import Model
import Testing

@testable import Server
@testable import State

/// What a secondary datacenter changes to be like the primary.
@Suite struct ReplicationPlanTests {
  private static func outline(_ id: String, _ name: String = "", _ hash: UInt8 = 0) -> ReplicatedOutline {
    ReplicatedOutline(id: id, name: name, hash: Bytes([hash]))
  }

  @Test func whatIsMissingOrDifferentIsFetchedAndWhatIsTooMuchIsDeleted() {
    let here = [Self.outline("a"), Self.outline("b"), Self.outline("c")]
    let there = [Self.outline("d"), Self.outline("c", "", 1), Self.outline("a")]
    let plan = ReplicationPlan(here: here, there: there)
    #expect(plan.deletions == ["b"] && plan.upserts == ["c", "d"])
    #expect(ReplicationPlan(here: there, there: there).isEmpty)
    #expect(ReplicationPlan(here: [], there: []).isEmpty)
  }

  @Test func aTokenThatWasMadeAgainUnderItsIdIsFetched() {
    let old = ReplicatedOutline(id: "a", hash: Bytes([1]), createTime: Timestamp(unixSeconds: 1))
    var new = old
    new.createTime = Timestamp(unixSeconds: 2)
    #expect(ReplicationPlan(here: [old], there: [new]).upserts == ["a"])
  }

  @Test func whoeverStandsInTheWayOfANameIsDeletedFirst() {
    // Two policies exchange their names, whose case does not count.
    let here = [Self.outline("1", "x"), Self.outline("2", "y")]
    let plan = ReplicationPlan(here: here, there: [Self.outline("1", "Y"), Self.outline("2", "X")])
    #expect(plan.deletions == ["1", "2"] && plan.upserts == ["1", "2"])
    // One is made again under the name of one that is gone.
    let again = ReplicationPlan(here: here, there: [Self.outline("3", "x"), Self.outline("2", "y")])
    #expect(again.deletions == ["1"] && again.upserts == ["3"])
  }

  @Test func aListThatNamesAThingTwiceNamesItOnce() {
    let there = [Self.outline("a"), Self.outline("a", "", 1)]
    #expect(ReplicationPlan(here: [], there: there).upserts == ["a"])
    #expect(ReplicationPlan(here: [Self.outline("a")], there: there).isEmpty)
  }

  @Test func batchesAreBoundedAndLoseNothing() {
    #expect(ReplicationBatches.ids([], max: 2) == [])
    #expect(ReplicationBatches.ids(["a", "b", "c"], max: 2) == [["a", "b"], ["c"]])
    #expect(ReplicationBatches.items([4, 4, 4, 20, 1], bytesMax: 10) { $0 } == [[4, 4], [4], [20], [1]])
    let many = ReplicationBatches.items(Array(repeating: 1, count: 1300)) { _ in 0 }
    #expect(many.map(\.count) == [512, 512, 276])
  }

  @Test func thePauseGrowsWithFailuresToItsLimit() {
    var pace = ReplicationPace()
    let seconds = [0, 1, 2, 3, 7, 99].map { pace.pause(afterFailures: $0).nanoseconds / 1_000_000_000 }
    #expect(seconds == [1, 1, 2, 4, 60, 60])
    pace.retry = GoDuration(nanoseconds: .max / 2)
    #expect(pace.pause(afterFailures: 3) == pace.longestRetry)
  }

  // MARK: both sides

  /// A datacenter as its state machine sees it.
  private struct Side {
    let store = StateStore()
    var index: UInt64 = 0

    mutating func apply(_ command: AccessControlCommand) {
      index += 1
      store.apply(index: index, .accessControl(command))
    }

    var content: [String] {
      let state = store.current
      return state.aclPolicies().value.map { "\($0.value.id) \($0.value.name) \($0.value.rules)" }
        + state.aclRoles().value.map { "\($0.id) \($0.name) \($0.policies.map(\.id))" }
        + state.aclTokens().value.filter { !$0.local }
        .map { "\($0.accessorID) \($0.secretID.revealed) \($0.description)" }
    }

    /// Every name leads to the policy or role that has it.
    var namesAreRight: Bool {
      let state = store.current
      let policies = state.aclPolicies().value.map(\.value)
      return policies.allSatisfy { state.aclPolicy(name: $0.name).value?.value.id == $0.id }
        && state.aclRoles().value.allSatisfy { state.aclRole(name: $0.name).value?.id == $0.id }
    }
  }

  private static func copy<Kind: ReplicatedKind>(
    _ kind: Kind.Type, _ list: Kind.List.Reply, _ read: ([String]) -> Kind.Batch.Reply, to side: inout Side
  ) throws {
    let plan = ReplicationPlan(here: Kind.outlines(side.store.current), there: Kind.outlines(list))
    for ids in ReplicationBatches.ids(plan.deletions, max: 2) { side.apply(Kind.deletion(ids)) }
    for ids in ReplicationBatches.ids(plan.upserts, max: 3) {
      for batch in ReplicationBatches.items(try Kind.items(read(ids)), bytesMax: 200, size: { $0.messagePack.count }) {
        side.apply(Kind.upsert(batch))
      }
    }
  }

  /// The id of something that there is, or a new one: ids of policies and roles never come back.
  private static func id(_ known: [String], _ side: Side, _ random: inout SplitMix) -> String {
    let place = Int(random.next() % 6)
    return known.indices.contains(place) ? known[place] : "id\(side.index)-\(random.next() % 1000)"
  }

  private static func edit(_ side: inout Side, _ random: inout SplitMix) {
    let state = side.store.current
    let name = "name\(random.next() % 6)"
    let policies = state.aclPolicies().value.map(\.value.id)
    let policy = id(policies, side, &random)
    let role = id(state.aclRoles().value.map(\.id), side, &random)
    let token = "id\(random.next() % 6)"
    switch random.next() % 7 {
    case 0, 1:
      if let other = state.aclPolicy(name: name).value?.value, other.id != policy { return }
      var new = ACLPolicy()
      (new.id, new.name, new.rules) = (policy, name, "# \(random.next() % 3)")
      new.hash = new.contentHash
      side.apply(.setPolicies(ACLPolicyBatchSetRequest([new])))
    case 2: side.apply(.deletePolicies(ACLPolicyBatchDeleteRequest([policy])))
    case 3:
      if let other = state.aclRole(name: name).value, other.id != role { return }
      var new = ACLRole()
      (new.id, new.name) = (role, name)
      new.policies = policies.prefix(Int(random.next() % 3)).map { ACLLink(id: $0) }
      new.hash = new.contentHash
      side.apply(.setRoles(ACLRoleBatchSetRequest([new])))
    case 4: side.apply(.deleteRoles(ACLRoleBatchDeleteRequest([role])))
    case 5:
      var new = ACLToken()
      (new.accessorID, new.description, new.local) = (token, name, token == "id5")
      let old = state.aclToken(accessor: token).value
      new.createTime = old?.createTime ?? Timestamp(unixSeconds: Int64(side.index) + 1)
      new.secretID = old?.secretID ?? Secret("secret \(side.index)")
      new.hash = new.contentHash
      var request = ACLTokenBatchSetRequest()
      request.tokens = [new]
      side.apply(.setTokens(request))
    default: side.apply(.deleteTokens(ACLTokenBatchDeleteRequest([token])))
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func afterAnyEditsBothSidesBecomeEqual(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var (primary, secondary) = (Side(), Side())
    for _ in 0..<30 {
      for _ in 0...random.next() % 12 { Self.edit(&primary, &random) }
      // What was not replicated is corrected, too; tokens of the secondary alone stay.
      if random.next() % 4 == 0 { Self.edit(&secondary, &random) }
      let state = primary.store.current
      try Self.copy(
        ReplicatedPolicies.self, PolicyList().evaluate(state).value, { PolicyBatchRead($0).evaluate(state).value },
        to: &secondary)
      try Self.copy(
        ReplicatedRoles.self, RoleList(policy: "").evaluate(state).value, { RoleBatchRead($0).evaluate(state).value },
        to: &secondary)
      try Self.copy(
        ReplicatedTokens.self, ReplicatedTokens.list.evaluate(state).value,
        { TokenBatchRead($0).evaluate(state).value }, to: &secondary)
      #expect(primary.content == secondary.content, "seed \(seed)")
      #expect(secondary.namesAreRight, "seed \(seed)")
    }
  }
}

/// Numbers that follow from a seed.
private struct SplitMix {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
