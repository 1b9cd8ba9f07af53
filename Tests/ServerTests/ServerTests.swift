import Model
import Testing

@testable import Server

private let second: UInt64 = 1_000_000_000

@Test func sessionsEndAfterTwiceTheirTTL() {
  var expiry = SessionExpiry()
  expiry.arm("a", ttl: .seconds(10), now: 0)
  #expect(expiry.nextDeadline() == 20 * second)
  #expect(expiry.expired(now: 20 * second - 1) == [])
  #expect(expiry.expired(now: 20 * second) == ["a"])
  #expect(expiry.isEmpty)
}

@Test func renewedSessionsGetTheirWholeTimeAgain() {
  var expiry = SessionExpiry()
  expiry.arm("a", ttl: .seconds(10), now: 0)
  expiry.arm("a", ttl: .seconds(10), now: 15 * second)
  #expect(expiry.expired(now: 34 * second) == [])
  #expect(expiry.expired(now: 35 * second) == ["a"])
}

@Test func destroyedSessionsAndThoseWithoutTTLNeverExpire() {
  var expiry = SessionExpiry()
  expiry.arm("a", ttl: .seconds(10), now: 0)
  expiry.arm("b", ttl: .zero, now: 0)
  expiry.disarm("a")
  #expect(expiry.nextDeadline() == nil)
  #expect(expiry.expired(now: .max) == [])
}

@Test func sessionsThatAreRenewedForeverDoNotFillTheQueue() {
  var expiry = SessionExpiry()
  for round in 0..<10_000 { expiry.arm("a", ttl: .seconds(10), now: UInt64(round) * second) }
  #expect(expiry.count == 1)
  #expect(expiry.nextDeadline() == (9_999 + 20) * second)
}

@Test func expiredSessionsComeInTheOrderOfTheirDeadlines() {
  var expiry = SessionExpiry()
  expiry.arm("late", ttl: .seconds(30), now: 0)
  expiry.arm("soon", ttl: .seconds(10), now: 0)
  #expect(expiry.expired(now: .max) == ["soon", "late"])
}

@Test func hugeTTLsDoNotOverflow() {
  var expiry = SessionExpiry()
  expiry.arm("a", ttl: GoDuration(nanoseconds: .max), now: .max - 1)
  #expect(expiry.nextDeadline() == .max)
}

@Test func tombstonesAreKeptForTheirLifetimeAndForgottenTogether() throws {
  var expiry = TombstoneExpiry()
  expiry.noteDeletion(index: 5, now: 0)
  expiry.noteDeletion(index: 9, now: second)
  let deadline = try #require(expiry.nextDeadline)
  #expect(deadline >= TombstoneExpiry.lifetime && deadline <= TombstoneExpiry.lifetime + TombstoneExpiry.granularity)
  #expect(expiry.expired(now: deadline - 1) == nil)
  #expect(expiry.expired(now: deadline) == 9)
  #expect(expiry.nextDeadline == nil)
}

@Test(arguments: [
  ("5s", "Invalid Session TTL '5000000000', must be between [10s=24h0m0s]"),
  ("86401s", "Invalid Session TTL '86401000000000', must be between [10s=24h0m0s]"),
  ("-30s", "Invalid Session TTL '-30000000000', must be between [10s=24h0m0s]"),
  ("soon", "Session TTL 'soon' invalid: time: invalid duration \"soon\""),
  ("30", "Session TTL '30' invalid: time: missing unit in duration \"30\""),
])
func sessionTTLsOutsideTheBoundsAreRefused(ttl: String, problem: String) {
  #expect(throws: ServerError.invalid(problem)) {
    try SessionCreate.checkTTL(ttl, minimum: .seconds(10))
  }
}

@Test(arguments: ["", "0s", "10s", "24h"])
func sessionTTLsWithinTheBoundsAreAccepted(ttl: String) throws {
  try SessionCreate.checkTTL(ttl, minimum: .seconds(10))
}
