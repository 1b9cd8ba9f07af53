import Synchronization
import Testing

@testable import LocalAgent

@Suite struct SyncRoundTests {
  /// Answers when told to.
  private final class Writer: Sendable {
    struct State {
      var started: [SyncAction] = []
      var open: [(action: SyncAction, settled: @Sendable (Bool) -> Void)] = []
      var result: Bool?
    }
    let state = Mutex(State())

    func round(_ actions: [SyncAction]) -> SyncRound {
      SyncRound(actions) { action, settled in
        self.state.withLock {
          $0.started.append(action)
          $0.open.append((action, settled))
        }
      } completion: { success in
        self.state.withLock { $0.result = success }
      }
    }

    var started: [SyncAction] { state.withLock { $0.started } }
    var result: Bool? { state.withLock { $0.result } }

    func answer(_ success: Bool = true) {
      let settled = state.withLock { state in state.open.isEmpty ? nil : state.open.removeFirst().settled }
      settled?(success)
    }
  }

  @Test("the node comes first, then services, then checks")
  func order() {
    let writer = Writer()
    let round = writer.round([
      .registerCheck(id: "n"), .deregisterService(id: "b"), .registerService(id: "a", checks: []), .updateNode,
    ])
    round.run()
    #expect(writer.started == [.updateNode])
    writer.answer()
    #expect(writer.started.count == 3)
    writer.answer()
    #expect(writer.started.count == 3)
    writer.answer()
    #expect(writer.started.last == .registerCheck(id: "n"))
    #expect(writer.result == nil)
    writer.answer()
    #expect(writer.result == true)
  }

  @Test("a few writes run at the same time; one that fails does not stop the others")
  func parallel() {
    let writer = Writer()
    let actions = (0..<20).map { SyncAction.registerCheck(id: "c\($0)") }
    writer.round(actions).run()
    #expect(writer.started == Array(actions[..<SyncRound.parallelWrites]))
    writer.answer(false)
    for _ in 1..<20 { writer.answer() }
    #expect(writer.started == actions)
    #expect(writer.result == false)
  }

  @Test("nothing to do ends at once, many answers in a row do not grow the stack")
  func extremes() {
    let results = Mutex<[Bool]>([])
    for count in [0, 200_000] {
      SyncRound((0..<count).map { .registerCheck(id: "\($0)") }) { _, settled in
        settled(true)
      } completion: { result in
        results.withLock { $0.append(result) }
      }.run()
    }
    #expect(results.withLock { $0 } == [true, true])
  }
}
