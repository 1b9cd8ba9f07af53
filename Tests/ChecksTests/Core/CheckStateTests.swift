import Model
import Testing

@testable import Checks

@Suite struct CheckStateTests {
  /// Results (p, w, c) and what is reported after each ('-' nothing).
  @Test(
    arguments: [
      (StatusThresholds(), "pcwcp", "pcwcp"),
      (StatusThresholds(failuresBeforeCritical: 3), "pcccpc", "p--cp-"),
      (StatusThresholds(failuresBeforeWarning: 1, failuresBeforeCritical: 3), "pcccp", "pwwcp"),
      (StatusThresholds(failuresBeforeWarning: 2, failuresBeforeCritical: 4), "pcccccp", "p-wwccp"),
      (StatusThresholds(successBeforePassing: 2), "cppcpp", "c-pc-p"),
      (StatusThresholds(successBeforePassing: 3), "cppcppp", "c--c--p"),
      (StatusThresholds(successBeforePassing: 2), "cwpw", "c-pw"),
      (StatusThresholds(successBeforePassing: 2, failuresBeforeCritical: 2), "cpcpccpp", "c----c-p"),
      (StatusThresholds(successBeforePassing: -1, failuresBeforeCritical: -5), "pc", "pc"),
    ])
  func resultsInARowDecide(thresholds: StatusThresholds, results: String, reported: String) {
    var state = CheckState(thresholds)
    let letters: [Character: CheckStatus] = ["p": .passing, "w": .warning, "c": .critical]
    let found = results.map { letter -> Character in
      guard let status = letters[letter].flatMap({ state.record($0) }) else { return "-" }
      return letters.first { $0.value == status }?.key ?? "?"
    }
    #expect(String(found) == reported)
  }

  @Test(arguments: [CheckStatus.passing, .warning, .critical])
  func theFirstResultCountsAtOnce(result: CheckStatus) {
    var state = CheckState(StatusThresholds(successBeforePassing: 1000, failuresBeforeCritical: 1000))
    #expect(state.record(result) == result)
  }

  @Test func thresholdsComeFromTheDefinition() {
    var definition = CheckType()
    definition.successBeforePassing = 4
    definition.failuresBeforeCritical = 7
    #expect(
      StatusThresholds(definition)
        == StatusThresholds(successBeforePassing: 4, failuresBeforeWarning: 7, failuresBeforeCritical: 7))
  }
}

@Suite struct CheckScheduleTests {
  @Test(
    arguments: [
      (CheckKind.http, 10_000, 0, 10_000, 10_000), (.http, 300, 0, 1000, 10_000), (.tcp, 999, 400, 1000, 400),
      (.script, 60_000, 0, 60_000, 30_000), (.docker, 60_000, 5000, 60_000, 5000), (.udp, 1001, 0, 1001, 10_000),
      (.http, 1000, 60_000, 1000, 60_000),
    ])
  func intervalsAreAtLeastASecondAndTimeoutsHaveDefaults(
    kind: CheckKind, interval: Int, timeout: Int, expectedInterval: Int, expectedTimeout: Int
  ) {
    var definition = CheckType()
    definition.interval = .milliseconds(interval)
    definition.timeout = .milliseconds(timeout)
    let schedule = CheckSchedule(definition, kind: kind)
    #expect(schedule.interval == .milliseconds(expectedInterval))
    #expect(schedule.timeout == .milliseconds(expectedTimeout))
  }

  @Test func theFirstRunWaitsWithinTheInterval() {
    var definition = CheckType()
    definition.interval = .seconds(30)
    let schedule = CheckSchedule(definition, kind: .http)
    #expect(schedule.firstDelay { _ in .seconds(12) } == .seconds(12))
    #expect(schedule.firstDelay { $0 } == .seconds(30))
    #expect(schedule.firstDelay { _ in .hours(9) } == .seconds(30))
    #expect(schedule.firstDelay { _ in .seconds(-1) } == .zero)
  }
}

@Suite struct TTLCountdownTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func expiresWithoutAReport() {
    var countdown = TTLCountdown(ttl: .seconds(10), now: 5 * Self.second)
    #expect(countdown.deadline == 15 * Self.second)
    #expect(countdown.timerFired(now: 15 * Self.second) == .expired(output: "TTL expired"))
  }

  @Test func aReportMovesTheDeadlineWithoutANewTimer() {
    var countdown = TTLCountdown(ttl: .seconds(10), now: 0)
    let needsTimer = countdown.reported(output: "fine", now: 8 * Self.second)
    #expect(!needsTimer)
    #expect(countdown.timerFired(now: 10 * Self.second) == .wait(until: 18 * Self.second))
    #expect(
      countdown.timerFired(now: 18 * Self.second)
        == .expired(output: "TTL expired (last output before timeout follows): fine"))
  }

  @Test func aReportAfterExpiryNeedsANewTimer() {
    var countdown = TTLCountdown(ttl: .seconds(1), now: 0)
    _ = countdown.timerFired(now: Self.second)
    let needsTimer = [
      countdown.reported(output: "back", now: 5 * Self.second),
      countdown.reported(output: "still here", now: 5 * Self.second),
    ]
    #expect(needsTimer == [true, false])
    #expect(countdown.deadline == 6 * Self.second)
  }
}

@Suite struct StatusMappingTests {
  @Test(
    arguments: [
      (100, CheckStatus.critical), (199, .critical), (200, .passing), (204, .passing), (299, .passing),
      (300, .critical),
      (302, .critical), (404, .critical), (428, .critical), (429, .warning), (430, .critical), (503, .critical),
    ])
  func httpStatus(code: Int, expected: CheckStatus) { #expect(CheckStatus(httpStatus: code) == expected) }

  @Test(arguments: [
    (0, CheckStatus.passing), (1, .warning), (2, .critical), (7, .critical), (255, .critical), (-1, .critical),
  ])
  func exitCode(code: Int, expected: CheckStatus) { #expect(CheckStatus(exitCode: code) == expected) }

  @Test(
    arguments: [
      (
        "LoadState=loaded\nActiveState=active\nSubState=running\n", CheckStatus.passing,
        "Service \"x\" is active (running)"
      ),
      ("LoadState=loaded\nActiveState=inactive\nSubState=dead\n", .critical, "Service \"x\" is inactive (dead)"),
      ("LoadState=loaded\nActiveState=failed\nSubState=failed", .critical, "Service \"x\" is failed (failed)"),
      (
        "LoadState=loaded\nActiveState=activating\nSubState=auto-restart", .warning,
        "Service \"x\" is activating (auto-restart)"
      ),
      ("LoadState=not-found\nActiveState=inactive\nSubState=dead", .critical, "Service \"x\" does not exist"),
      ("", .warning, "systemd says nothing about service \"x\""),
      ("=\n\n==\nActiveState", .warning, "systemd says nothing about service \"x\""),
    ])
  func unitState(text: String, status: CheckStatus, output: String) {
    #expect(UnitState(text).result(service: "x") == ProbeResult(status: status, output: output))
  }
}
