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
