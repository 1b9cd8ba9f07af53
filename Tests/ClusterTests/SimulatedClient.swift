import Model

@testable import Consensus
@testable import Server
@testable import State

/// A program that uses the datacenter: does one thing after another, and writes down what it asked and what it was told.
protocol SimulatedClient: AnyObject {
  var number: Int { get }
  /// Begins the next thing; calls `DatacenterSimulation.goOn` when it is over.
  func turn(_ simulation: DatacenterSimulation)
}

/// What a client learns about a request.
enum Outcome<Value: Sendable>: Sendable {
  case answered(Value)
  /// Nothing was or will be done.
  case refused
  /// Nobody knows.
  case silence
}

/// Keys whose histories must be those of registers.
final class RegisterBook {
  struct Register {
    var key: String
    var operations: [RegisterOperation] = []
    var unanswered = 0
  }

  /// More than these make the search for an order slow; a new key takes the place.
  static let unansweredMax = 8

  private(set) var registers: [Register] = []
  private var current: [Int] = []
  private var written = 0

  init(count: Int) {
    for place in 0..<count {
      current.append(place)
      registers.append(Register(key: "register/\(place)"))
    }
  }

  func any(_ random: inout SeededRandom) -> Int {
    let place = Int.random(in: 0..<current.count, using: &random)
    if registers[current[place]].unanswered >= Self.unansweredMax {
      current[place] = registers.count
      registers.append(Register(key: "register/\(registers.count)"))
    }
    return current[place]
  }

  func nextValue() -> Int {
    written += 1
    return written
  }

  func note(_ operation: RegisterOperation, of register: Int) {
    registers[register].operations.append(operation)
    if operation.returned == .max { registers[register].unanswered += 1 }
  }
}

/// Reads, writes, compares and deletes a few keys.
final class RegisterClient: SimulatedClient {
  let number: Int
  private let book: RegisterBook

  init(number: Int, book: RegisterBook) {
    self.number = number
    self.book = book
  }

  func turn(_ simulation: DatacenterSimulation) {
    let register = book.any(&simulation.random)
    switch Int.random(in: 0..<100, using: &simulation.random) {
    case 0..<35: read(register, simulation) { _ in simulation.goOn(self) }
    case 35..<62: change(register, .write, book.nextValue(), simulation)
    case 62..<68: change(register, .write, 0, simulation)
    default:
      read(register, simulation) { [self] seen in
        guard let seen else { return simulation.goOn(self) }
        change(register, .compareAndSet(expected: seen.value), book.nextValue(), index: seen.index, simulation)
      }
    }
  }

  private func read(
    _ register: Int, _ simulation: DatacenterSimulation, then: @escaping ((value: Int, index: UInt64)?) -> Void
  ) {
    var operation = RegisterOperation(client: number, kind: .read, invoked: simulation.clock.now)
    simulation.read(book.registers[register].key) { [self] outcome in
      guard case .answered(let row) = outcome else { return then(nil) }
      operation.returned = simulation.clock.now
      let value = row.map { Self.number($0.value) } ?? 0
      operation.result = value
      book.note(operation, of: register)
      then((value, row?.value.modifyIndex ?? 0))
    }
  }

  private func change(
    _ register: Int, _ kind: RegisterOperation.Kind, _ value: Int, index: UInt64 = 0, _ simulation: DatacenterSimulation
  ) {
    var operation = RegisterOperation(client: number, kind: kind, invoked: simulation.clock.now, value: value)
    var entry = KVEntry()
    entry.key = book.registers[register].key
    entry.modifyIndex = index
    // Of any size, so that the log's batches and segments are of any size.
    let filler = Int.random(in: 0...300, using: &simulation.random)
    if value != 0 { entry.value = Bytes(Array("\(value):".utf8) + [UInt8](repeating: 7, count: filler)) }
    let op: KVOp
    if case .compareAndSet = kind { op = .cas } else { op = value == 0 ? .delete : .set }
    simulation.write(KVApply(op, entry)) { [self] outcome in
      switch outcome {
      case .refused: break
      case .silence: book.note(operation, of: register)
      case .answered(let success):
        operation.returned = simulation.clock.now
        operation.result = success ? 1 : 0
        if case .write = kind, !success { simulation.report("a write was answered with false: \(operation)") }
        book.note(operation, of: register)
      }
      simulation.goOn(self)
    }
  }

  static func number(_ entry: KVEntry) -> Int {
    let text = String(decoding: entry.value.bytes.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
    return Int(text) ?? -1
  }
}

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
        simulation.oversight.renewed(id, askedAt: asked, ttl: UInt64(Self.timeToLive.nanoseconds))
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
          simulation.oversight.renewed(session, askedAt: asked, ttl: UInt64(Self.timeToLive.nanoseconds))
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
