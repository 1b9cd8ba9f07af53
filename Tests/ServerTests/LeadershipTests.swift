import Synchronization
import Testing

@testable import Server

/// Whoever wants to know hears of every leadership, also of one that has begun already.
@Suite struct LeadershipTests {
  @Test func observersHearOfEveryBeginning() {
    let leadership = Leadership()
    let count = Mutex(0)
    leadership.observe { count.withLock { $0 += 1 } }
    #expect(!leadership.isLeading)
    leadership.gained()
    leadership.lost()
    leadership.gained()
    #expect(leadership.isLeading)
    #expect(count.withLock { $0 } == 2)
  }

  @Test func aLateObserverHearsOfThePresentLeadership() {
    let leadership = Leadership()
    leadership.gained()
    let count = Mutex(0)
    leadership.observe { count.withLock { $0 += 1 } }
    #expect(count.withLock { $0 } == 1)
  }
}
