import Model

@testable import Consensus
@testable import Server
@testable import State

/// What those who take the lock did while they held it.
final class LockBook {
  static let lock = "lock"
  static let counter = "counter"

  struct Count {
    var index: UInt64
    var lockIndex: UInt64
    var session: String
    var invoked: UInt64
    var returned: UInt64
  }

  var tried = 0
  var counts: [Count] = []

  /// Counts were made by one holder at a time, in the order in which the lock was taken, and none is lost.
  func contradiction(counter: Int) -> String? {
    var holders: [UInt64: String] = [:]
    var highest: UInt64 = 0
    for count in counts.sorted(by: { $0.index < $1.index }) {
      if let holder = holders[count.lockIndex], holder != count.session {
        return "lock index \(count.lockIndex) was held by \(holder) and \(count.session)"
      }
      holders[count.lockIndex] = count.session
      if count.lockIndex < highest { return "a holder of lock index \(count.lockIndex) wrote after that of \(highest)" }
      highest = count.lockIndex
    }
    for count in counts {
      if let other = counts.first(where: { $0.returned < count.invoked && $0.index >= count.index }) {
        return "index \(count.index) was given out after \(other.index) had been answered"
      }
    }
    guard counts.count <= counter, counter <= tried else {
      return "\(counts.count) of \(tried) counts were acknowledged, but the counter is \(counter)"
    }
    return nil
  }
}

/// Takes a lock and, while it holds it, counts: read, add one, write. Only the lock keeps counts from being lost.
final class LockClient: SimulatedClient {
  static let timeToLive = GoDuration.seconds(1)

  let number: Int
  private let book: LockBook
  private var session: String?
  private var asked: UInt64 = 0

  init(number: Int, book: LockBook) {
    self.number = number
    self.book = book
  }

  func turn(_ simulation: DatacenterSimulation) {
    guard let session else { return open(simulation) }
    if simulation.clock.now - asked > 300_000_000 { return renew(session, simulation) }
    if Int.random(in: 0..<40, using: &simulation.random) == 0 { return close(session, simulation) }
    acquire(session, simulation)
  }

  private func open(_ simulation: DatacenterSimulation) {
    let asked = simulation.clock.now
    simulation.createSession(ttl: Self.timeToLive, behavior: SessionBehavior.release) { [self] outcome in
      if case .answered(let id) = outcome {
        session = id
        self.asked = asked
        simulation.renewed(id, askedAt: asked)
      }
      simulation.goOn(self)
    }
  }

  private func renew(_ session: String, _ simulation: DatacenterSimulation) {
    let asked = simulation.clock.now
    simulation.write(SessionRenew(id: session), isFromNewestLeader: true) { [self] outcome in
      if case .answered(let row) = outcome {
        self.asked = asked
        if row == nil {
          self.session = nil
        } else {
          simulation.renewed(session, askedAt: asked)
        }
      }
      simulation.goOn(self)
    }
  }

  private func close(_ session: String, _ simulation: DatacenterSimulation) {
    self.session = nil
    simulation.oversight.abandoned(session)
    simulation.write(SessionDestroy(id: session)) { _ in simulation.goOn(self) }
  }

  private func acquire(_ session: String, _ simulation: DatacenterSimulation) {
    var entry = KVEntry()
    entry.key = LockBook.lock
    entry.session = session
    simulation.write(KVApply(.lock, entry)) { [self] outcome in
      guard case .answered(true) = outcome else { return simulation.goOn(self) }
      simulation.read(LockBook.lock) { [self] outcome in
        guard case .answered(let row) = outcome, let row, row.value.session == session else {
          return simulation.goOn(self)
        }
        count(session, row.value.lockIndex, simulation) { [self] in
          simulation.write(KVApply(.unlock, entry)) { _ in simulation.goOn(self) }
        }
      }
    }
  }

  private func count(
    _ session: String, _ lockIndex: UInt64, _ simulation: DatacenterSimulation, then: @escaping () -> Void
  ) {
    simulation.read(LockBook.counter) { [self] outcome in
      guard case .answered(let row) = outcome else { return then() }
      var check = KVEntry()
      check.key = LockBook.lock
      check.session = session
      var entry = KVEntry()
      entry.key = LockBook.counter
      entry.value = Bytes(Array("\((row.map { RegisterClient.number($0.value) } ?? 0) + 1):".utf8))
      var operations = [TxnOp(), TxnOp()]
      operations[0].kv = TxnKVOp(.checkSession, check)
      operations[1].kv = TxnKVOp(.set, entry)
      let invoked = simulation.clock.now
      book.tried += 1
      simulation.write(TxnApply(operations)) { [self] outcome in
        switch outcome {
        case .silence: break
        case .refused: book.tried -= 1
        case .answered(let outcome):
          if let written = outcome.response.results.last?.kv, outcome.response.errors.isEmpty {
            book.counts.append(
              LockBook.Count(
                index: written.modifyIndex, lockIndex: lockIndex, session: session, invoked: invoked,
                returned: simulation.clock.now))
          } else {
            book.tried -= 1
          }
        }
        then()
      }
    }
  }
}
