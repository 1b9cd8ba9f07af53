@testable import Consensus

/// Talks to one core, with shorthands for what tests say again and again.
struct CoreHarness {
  var core: RaftCore
  var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
  private var token: UInt64 = 0

  /// Server `a` among the given voters; its log has entries of these terms.
  init(
    voters: [ServerID] = ["a", "b", "c"], nonVoters: [ServerID] = [], term: Term = 1, logTerms: [Term] = [1],
    id: ServerID = "a", settings: RaftSettings = RaftSettings(), votedFor: ServerAddress? = nil
  ) {
    let servers =
      voters.map { RaftServer(id: $0, address: $0 + ":1") }
      + nonVoters.map { RaftServer(id: $0, address: $0 + ":1", suffrage: .nonVoter) }
    var log = LogView()
    for term in logTerms { log.append(term: term) }
    let restored = RaftCore.Restored(
      hardState: HardState(term: term, votedFor: votedFor), log: log,
      membership: Membership(RaftConfiguration(servers: servers), index: servers.isEmpty ? 0 : 1))
    core = RaftCore(id: id, address: id + ":1", settings: settings, restored: restored, seed: 1, now: now)
  }

  static func header(_ id: ServerID) -> RaftHeader { RaftHeader(id: id, address: id + ":1") }

  mutating func step(_ event: RaftEvent) -> [RaftEffect] { core.step(event, now: now) }

  mutating func request(_ request: RaftRequest, from id: ServerID) -> [RaftEffect] {
    token += 1
    return step(.request(request, from: Self.header(id), token: token))
  }

  /// Lets the next deadline pass.
  mutating func timeOut() -> [RaftEffect] {
    now = core.nextDeadline ?? now
    return step(.tick)
  }

  mutating func wait(_ duration: Duration) { now = now + duration.clampedNanoseconds }

  /// What was appended becomes durable.
  mutating func makeDurable() -> [RaftEffect] {
    step(.logDurable(index: core.log.lastIndex, term: core.log.lastTerm))
  }

  /// Answers a request with success.
  mutating func accept(_ request: OutgoingRequest) -> [RaftEffect] {
    let response: RaftResponse =
      switch request.body {
      case .heartbeat, .append:
        .appendEntries(AppendEntriesResponse(term: request.term, lastLog: 0, success: true))
      case .vote: .requestVote(VoteResponse(term: request.term, granted: true))
      case .preVote(let vote): .requestPreVote(VoteResponse(term: vote.term, granted: true))
      case .snapshot: .installSnapshot(InstallSnapshotResponse(term: request.term, success: true))
      case .timeoutNow: .timeoutNow
      }
    return step(.response(.success(response), from: request.to.id, request.context))
  }

  /// Becomes leader with everybody's consent; the noop is committed.
  mutating func lead() {
    var effects = timeOut()
    for _ in 0..<6 where !core.isLeader {
      effects = effects.requests.prefix(1).flatMap { accept($0) } + []
      if !core.isLeader, effects.requests.isEmpty { effects = timeOut() }
    }
    precondition(core.isLeader, "the harness could not become leader")
    settle(effects)
  }

  /// Makes everything durable and lets all others accept what they are sent, until nothing is under way.
  mutating func settle(_ first: [RaftEffect] = []) {
    var effects = first + makeDurable()
    for _ in 0..<100 {
      let requests = effects.requests
      if requests.isEmpty { return }
      effects = []
      for request in requests { effects += accept(request) }
      effects += makeDurable()
    }
  }

  static func entries(_ first: LogIndex, terms: [Term]) -> [LogEntry] {
    terms.enumerated().map { offset, term in
      LogEntry(index: first + UInt64(offset), term: term, kind: .command, data: [UInt8(truncatingIfNeeded: offset)])
    }
  }

  static func command(_ text: String = "x") -> LogEntry {
    LogEntry(index: 0, term: 0, kind: .command, data: Array(text.utf8))
  }
}

extension [RaftEffect] {
  var requests: [OutgoingRequest] {
    compactMap { if case .send(let request) = $0 { request } else { nil } }
  }

  var appends: [(to: ServerID, previous: LogIndex, last: LogIndex, commit: LogIndex)] {
    requests.compactMap { request in
      guard case .append(_, let first, let last, let commit) = request.body else { return nil }
      return (request.to.id, first - 1, last, commit)
    }
  }

  var heartbeats: [OutgoingRequest] {
    requests.filter { if case .heartbeat = $0.body { true } else { false } }
  }

  var replies: [RaftResponse] {
    compactMap { if case .reply(_, let response) = $0 { response } else { nil } }
  }

  var appendReply: AppendEntriesResponse? {
    replies.lazy.compactMap { if case .appendEntries(let response) = $0 { response } else { nil } }.first
  }

  var voteReply: VoteResponse? {
    replies.lazy.compactMap { if case .requestVote(let response) = $0 { response } else { nil } }.first
  }

  var preVoteReply: VoteResponse? {
    replies.lazy.compactMap { if case .requestPreVote(let response) = $0 { response } else { nil } }.first
  }

  var persisted: HardState? {
    lazy.compactMap { if case .persist(let state) = $0 { state } else { nil } }.last
  }

  var committed: LogIndex? {
    lazy.compactMap { if case .commit(let index) = $0 { index } else { nil } }.last
  }

  var appended: [LogEntry] {
    flatMap { effect -> [LogEntry] in if case .append(let entries) = effect { entries } else { [] } }
  }

  var truncated: LogIndex? {
    lazy.compactMap { if case .truncate(let index) = $0 { index } else { nil } }.first
  }

  var refusal: RaftError? {
    lazy.compactMap { if case .refused(let error) = $0 { error } else { nil } }.first
  }

  var lostLeadership: Bool { contains { if case .lostLeadership = $0 { true } else { false } } }
  var verified: [UInt64] { flatMap { effect -> [UInt64] in if case .verified(let ids) = effect { ids } else { [] } } }
}
