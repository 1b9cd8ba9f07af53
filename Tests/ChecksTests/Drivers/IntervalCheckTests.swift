import Model
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Checks

/// A probe whose results the test decides.
private final class ScriptedProbe: Probe, Abandonable {
  private let waiting = Mutex<[Attempt.Finish]>([])
  private let abandoned = Mutex(0)

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    waiting.withLock { $0.append(finish) }
    return self
  }

  func abandon() { abandoned.withLock { $0 += 1 } }

  var runs: Int { waiting.withLock { $0.count } }
  var abandonments: Int { abandoned.withLock { $0 } }
  func answer(_ result: ProbeResult?) { waiting.withLock { $0.last }?(result) }
}

@Suite struct IntervalCheckTests {
  private let loop = NIOAsyncTestingEventLoop()
  private let probe = ScriptedProbe()

  private func make(_ recorder: Recorder, _ change: (inout CheckType) -> Void = { _ in }) -> IntervalCheck {
    IntervalCheck(
      id: "c", serviceID: "s", kind: .tcp, probe: probe, definition: check(change), initial: .critical,
      observer: recorder, environment: testEnvironment(on: loop))
  }

  @Test func runsAfterTheStaggerAndThenEveryIntervalFromTheEndOfTheLast() async {
    let recorder = Recorder()
    let running = make(recorder)
    running.start()
    running.start()
    await loop.advanceTime(by: .milliseconds(4999))
    #expect(probe.runs == 0)
    await loop.advanceTime(by: .milliseconds(1))
    #expect(probe.runs == 1)
    await loop.advanceTime(by: .seconds(60))
    #expect(probe.runs == 1, "a run that takes long must not overlap with the next")
    probe.answer(.passing("fine"))
    await loop.advanceTime(by: .seconds(9))
    #expect(probe.runs == 1)
    await loop.advanceTime(by: .seconds(1))
    #expect(probe.runs == 2)
    #expect(recorder.updates == [.init(id: "c", status: .passing, output: "fine")])
    running.stop()
  }

  @Test func everyResultIsReportedUnlessAThresholdHoldsItBack() async {
    let recorder = Recorder()
    let running = make(recorder) { $0.failuresBeforeCritical = 2 }
    running.start()
    for result in [ProbeResult.passing("1"), .passing("1"), .critical("2"), nil, .critical("3")] {
      await loop.advanceTime(by: .seconds(10))
      probe.answer(result)
    }
    #expect(recorder.updates.map(\.output) == ["1", "1", "3"])
    #expect(recorder.updates.map(\.status) == [.passing, .passing, .critical])
    running.stop()
  }

  @Test func nothingComesAfterStop() async {
    let recorder = Recorder()
    let running = make(recorder)
    running.start()
    await loop.advanceTime(by: .seconds(10))
    running.stop()
    running.stop()
    #expect(probe.abandonments == 1)
    probe.answer(.critical("late"))
    await loop.advanceTime(by: .seconds(100))
    #expect(probe.runs == 1)
    #expect(recorder.updates.isEmpty)
    running.start()
    await loop.advanceTime(by: .seconds(100))
    #expect(probe.runs == 1)
  }

  @Test func stopBeforeTheFirstRunCancelsIt() async {
    let running = make(Recorder())
    running.start()
    running.stop()
    await loop.advanceTime(by: .seconds(100))
    #expect(probe.runs == 0)
  }

  @Test func anObserverMayStopTheCheckThatCallsIt() async {
    let recorder = Recorder { $0.stop() }
    let running = make(recorder)
    running.start()
    await loop.advanceTime(by: .seconds(5))
    probe.answer(.critical("gone"))
    await loop.advanceTime(by: .seconds(100))
    #expect(probe.runs == 1)
    #expect(recorder.updates.count == 1)
  }

  @Test func aStatusCannotBeSet() {
    #expect(throws: CheckError.notTTL(id: "c")) { try make(Recorder()).setTTL(status: .passing, output: "") }
  }
}

@Suite struct TTLCheckTests {
  private let loop = NIOAsyncTestingEventLoop()

  private func make(_ recorder: Recorder, outputMaxSize: Int = 0) throws -> any RunningCheck {
    var definition = CheckType()
    definition.ttl = .seconds(10)
    definition.outputMaxSize = outputMaxSize
    return try makeCheck(
      id: "t", serviceID: "", definition: definition, origin: .api, initial: .passing, observer: recorder,
      environment: testEnvironment(on: loop))
  }

  @Test func expiresAndRecovers() async throws {
    let recorder = Recorder()
    let ttl = try make(recorder)
    ttl.start()
    await loop.advanceTime(by: .milliseconds(9999))
    #expect(recorder.updates.isEmpty)
    await loop.advanceTime(by: .milliseconds(1))
    #expect(recorder.updates == [.init(id: "t", status: .critical, output: "TTL expired")])
    await loop.advanceTime(by: .seconds(100))
    #expect(recorder.updates.count == 1)
    try ttl.setTTL(status: .passing, output: "alive")
    #expect(recorder.updates.last == .init(id: "t", status: .passing, output: "alive"))
    await loop.advanceTime(by: .seconds(9))
    try ttl.setTTL(status: .warning, output: "slow")
    await loop.advanceTime(by: .seconds(9))
    #expect(recorder.updates.last?.status == .warning)
    await loop.advanceTime(by: .seconds(1))
    let output = "TTL expired (last output before timeout follows): slow"
    #expect(recorder.updates.last == .init(id: "t", status: .critical, output: output))
    ttl.stop()
  }

  @Test func aReportDuringTheExpiryHasTheLastWord() async throws {
    let isFirst = Flag(true)
    let recorder = Recorder { check in
      guard isFirst.value else { return }
      isFirst.set(false)
      try? check.setTTL(status: .passing, output: "just in time")
    }
    let ttl = try make(recorder)
    ttl.start()
    await loop.advanceTime(by: .seconds(10))
    let report = Recorder.Update(id: "t", status: .passing, output: "just in time")
    #expect(recorder.updates == [.init(id: "t", status: .critical, output: "TTL expired"), report, report])
    ttl.stop()
  }

  @Test func longReportsAreCut() async throws {
    let recorder = Recorder()
    let ttl = try make(recorder, outputMaxSize: 3)
    ttl.start()
    try ttl.setTTL(status: .passing, output: "abcdef")
    #expect(recorder.updates.last?.output == "abc ... (captured 3 of 6 bytes)")
    ttl.stop()
  }

  @Test func nothingComesAfterStop() async throws {
    let recorder = Recorder()
    let ttl = try make(recorder)
    ttl.start()
    ttl.stop()
    try ttl.setTTL(status: .passing, output: "late")
    await loop.advanceTime(by: .seconds(100))
    #expect(recorder.updates.isEmpty)
  }
}

@Suite struct AliasCheckTests {
  private final class Source: AliasSource, AliasSubscription {
    private let following = Mutex<(AliasTarget, @Sendable (AliasView) -> Void)?>(nil)
    private let cancellations = Mutex(0)

    func follow(_ target: AliasTarget, _ changed: @escaping @Sendable (AliasView) -> Void) -> any AliasSubscription {
      following.withLock { $0 = (target, changed) }
      changed(AliasView(checks: [], serviceExists: false))
      return self
    }
    func cancel() { cancellations.withLock { $0 += 1 } }

    var target: AliasTarget? { following.withLock { $0?.0 } }
    var cancelled: Int { cancellations.withLock { $0 } }
    func change(_ view: AliasView) { following.withLock { $0 }?.1(view) }
  }

  @Test func followsItsTargetUntilItIsStopped() throws {
    let source = Source()
    let recorder = Recorder()
    let alias = try makeCheck(
      id: "a", serviceID: "copy", definition: check { $0.aliasService = "main" }, origin: .api, initial: .critical,
      observer: recorder, environment: testEnvironment(on: NIOAsyncTestingEventLoop(), aliases: source))
    alias.start()
    alias.start()
    #expect(source.target == AliasTarget(node: "", serviceID: "main"))
    source.change(AliasView(checks: [], serviceExists: true))
    source.change(AliasView(checks: [], serviceExists: true))
    #expect(
      recorder.updates == [
        .init(id: "a", status: .critical, output: "Service main could not be found on node "),
        .init(id: "a", status: .passing, output: "No checks found."),
      ])
    alias.stop()
    alias.stop()
    source.change(AliasView(checks: [], serviceExists: false))
    #expect(recorder.updates.count == 2)
    #expect(source.cancelled == 1)
  }
}

@Suite struct MakeCheckTests {
  private func make(_ definition: CheckType, _ origin: CheckOrigin, _ scripts: CheckEnvironment.Scripts) throws {
    var environment = testEnvironment(on: NIOAsyncTestingEventLoop())
    environment.scripts = scripts
    _ = try makeCheck(
      id: "x", serviceID: "", definition: definition, origin: origin, initial: .critical, observer: Recorder(),
      environment: environment)
  }

  @Test(
    arguments: [
      (CheckOrigin.api, CheckEnvironment.Scripts.disabled, false), (.api, .fromFiles, false), (.api, .enabled, true),
      (.configurationFile, .disabled, false), (.configurationFile, .fromFiles, true),
      (.configurationFile, .enabled, true),
    ])
  func scriptsRunOnlyWhereTheyAreAllowed(origin: CheckOrigin, scripts: CheckEnvironment.Scripts, isAllowed: Bool) {
    let script = check { $0.scriptArgs = ["true"] }
    var docker = script
    docker.dockerContainerID = "c"
    for definition in [script, docker] {
      if isAllowed {
        #expect(throws: Never.self) { try make(definition, origin, scripts) }
      } else {
        #expect(throws: CheckError.scriptsDisabled(origin)) { try make(definition, origin, scripts) }
      }
    }
  }

  @Test func osServicesNeedSystemd() {
    let definition = check { $0.osService = "cron" }
    if OSServiceProbe.isSupported {
      #expect(throws: Never.self) { try make(definition, .api, .disabled) }
    } else {
      #expect(throws: CheckError.osServicesUnsupported) { try make(definition, .api, .disabled) }
    }
  }
}
