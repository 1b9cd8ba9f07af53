import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Server

/// Requests that come while nobody leads.
@Suite struct LeadershipTests {
  /// What became of a request.
  private final class Outcome: Sendable {
    let runs = Mutex(0)
    let failures = Mutex<[ServerError]>([])
  }

  private static func request(
    _ leadership: Leadership, on loop: EmbeddedEventLoop, _ outcome: Outcome
  ) -> HeldRequest {
    HeldRequest(leadership, on: loop) {
      outcome.runs.withLock { $0 += 1 }
      return nil
    } failure: { error in
      outcome.failures.withLock { $0.append(error) }
    }
  }

  @Test func theyRunOnceThereIsALeader() {
    let (leadership, loop, outcome) = (Leadership(), EmbeddedEventLoop(), Outcome())
    Self.request(leadership, on: loop, outcome).wait(atMost: .seconds(7))
    loop.advanceTime(by: .seconds(6))
    #expect(outcome.runs.withLock { $0 } == 0)
    leadership.gained()
    loop.advanceTime(by: .seconds(60))
    #expect(outcome.runs.withLock { $0 } == 1)
    #expect(outcome.failures.withLock { $0 } == [])
  }

  @Test func theyFailWhenNobodyIsElectedInTime() {
    let (leadership, loop, outcome) = (Leadership(), EmbeddedEventLoop(), Outcome())
    Self.request(leadership, on: loop, outcome).wait(atMost: .seconds(7))
    loop.advanceTime(by: .seconds(8))
    leadership.gained()
    loop.run()
    #expect(outcome.failures.withLock { $0 } == [.noLeader])
    #expect(outcome.runs.withLock { $0 } == 0)
  }

  @Test func nothingHappensToThoseWhoseClientIsGone() {
    let (leadership, loop, outcome) = (Leadership(), EmbeddedEventLoop(), Outcome())
    let request = Self.request(leadership, on: loop, outcome)
    request.wait(atMost: .seconds(7))
    request.cancel()
    leadership.gained()
    loop.advanceTime(by: .seconds(8))
    #expect(outcome.runs.withLock { $0 } == 0)
    #expect(outcome.failures.withLock { $0 } == [])
  }

  @Test func theEndOfTheServerAnswersThem() {
    let (leadership, loop, outcome) = (Leadership(), EmbeddedEventLoop(), Outcome())
    Self.request(leadership, on: loop, outcome).wait(atMost: .seconds(7))
    leadership.end()
    loop.run()
    #expect(outcome.failures.withLock { $0 } == [.shuttingDown])
  }

  @Test func anObserverMissesNoLeadership() {
    let leadership = Leadership()
    let count = Mutex(0)
    leadership.gained()
    leadership.observe { count.withLock { $0 += 1 } }
    #expect(count.withLock { $0 } == 1)
    leadership.lost()
    leadership.gained()
    #expect(count.withLock { $0 } == 2)
  }
}
