import Model
import NIOEmbedded
import State
import Synchronization
import Testing

@testable import Server

@Suite struct SessionTimersTests {
  private final class Ends: Sendable {
    let asked = Mutex<[(id: String, completion: @Sendable (Bool) -> Void)]>([])
    var count: Int { asked.withLock { $0.count } }
  }

  private let loop = EmbeddedEventLoop()
  private let ends = Ends()

  private func timers() -> SessionTimers {
    SessionTimers(loop: loop, now: { [loop] in loop.now.uptimeNanoseconds }) { [ends] id, completion in
      ends.asked.withLock { $0.append((id, completion)) }
    }
  }

  private static func session() -> Row<Session> {
    var session = Session()
    session.id = "a"
    session.ttl = "10s"
    return Row(session)
  }

  @Test func aRenewalThatComesWhileTheEndIsBeingLoggedIsTooLate() {
    let timers = timers()
    timers.lead([Self.session()])
    loop.advanceTime(by: .seconds(15))
    #expect(timers.arm(Self.session()))
    loop.advanceTime(by: .seconds(19))
    #expect(ends.count == 0)
    loop.advanceTime(by: .seconds(1))
    #expect(ends.count == 1)
    #expect(!timers.arm(Self.session()))
    // It is logged; another session may have its id.
    timers.disarm("a")
    #expect(timers.arm(Self.session()))
  }

  @Test func anEndThatIsNotLoggedIsTriedAgain() {
    let timers = timers()
    timers.lead([Self.session()])
    loop.advanceTime(by: .seconds(20))
    ends.asked.withLock { $0[0].completion }(false)
    loop.advanceTime(by: .seconds(1))
    #expect(ends.count == 2)
  }
}
