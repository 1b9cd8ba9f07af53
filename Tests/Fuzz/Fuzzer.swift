import Glibc

/// Changes inputs of a target and watches what becomes of them.
struct Fuzzer {
  /// Inputs that are kept to be changed further.
  private static let corpusLimit = 4096
  private static let inputLimit = 256 << 10

  private let target: any FuzzTarget
  private let seed: UInt64
  private var random: SeededRandom
  private var corpus: [[UInt8]]
  private var seen: Set<Outcome> = []

  init(_ target: any FuzzTarget, seed: UInt64) {
    self.target = target
    self.seed = seed
    random = SeededRandom(seed: seed)
    corpus = target.corpus
  }

  static func runOne(_ target: any FuzzTarget, _ input: [UInt8]) { _ = take(input, target, seed: 0) }

  func run(seconds: Int) {
    var copy = self
    copy.go(seconds: seconds)
  }

  private mutating func go(seconds: Int) {
    let end = time(nil) + seconds
    var count = 0
    for input in corpus {
      let outcome = Self.take(input, target, seed: seed)
      if case .refused(let reason) = outcome {
        Witness.report("\(target.name): an input of the corpus was refused: \(reason)")
      }
      seen.insert(outcome)
    }
    let mutation = Mutation(tokens: target.tokens.map { Array($0.utf8) })
    while time(nil) < end {
      for _ in 0..<64 {
        var input = corpus[Int.random(in: corpus.indices, using: &random)]
        for _ in 0..<Int.random(in: 1...4, using: &random) { mutation.change(&input, corpus, &random) }
        if input.count > Self.inputLimit { input.removeLast(input.count - Self.inputLimit) }
        let isNew = seen.insert(Self.take(input, target, seed: seed)).inserted
        if isNew, corpus.count < Self.corpusLimit { corpus.append(input) }
        count += 1
      }
      if Witness.isTooLarge { Witness.report("\(target.name): too much memory") }
    }
    print("\(target.name): \(count) inputs, \(seen.count) kinds of outcome, seed \(seed)")
  }

  private static func take(_ input: [UInt8], _ target: any FuzzTarget, seed: UInt64) -> Outcome {
    Witness.isAt(target.name, seed: seed, input)
    defer { Witness.isDone() }
    do throws(BrokenPromise) {
      return try target.take(input)
    } catch {
      Witness.report("\(target.name): \(error.what)")
    }
  }
}

/// Numbers that are the same for the same seed (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// Ways to spoil an input.
struct Mutation {
  let tokens: [[UInt8]]

  /// Bytes that lengths and counts are compared with.
  private static let edges: [[UInt8]] = [
    [0], [0x7F], [0x80], [0xFF], [0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF],
    [0x80, 0, 0, 0, 0, 0, 0, 0], [0x7F] + [UInt8](repeating: 0xFF, count: 7), [UInt8](repeating: 0xFF, count: 8),
    Array("9223372036854775808".utf8), Array("-1".utf8), Array("1e400".utf8), Array("\u{1F600}".utf8),
    [0xED, 0xA0, 0x80],
  ]

  func change(_ input: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededRandom) {
    let place = Int.random(in: 0...input.count, using: &random)
    let length = min(Int.random(in: 1...16, using: &random), input.count - place)
    switch Int.random(in: 0..<9, using: &random) {
    case 0 where place < input.count: input[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1 where place < input.count: input[place] = UInt8.random(in: 0...255, using: &random)
    case 2: input.removeSubrange(place..<place + length)
    case 3: input.insert(contentsOf: input[place..<place + length], at: place)
    case 4: replace(&input, place, Self.edges.randomElement(using: &random) ?? [])
    case 5: input.insert(contentsOf: tokens.randomElement(using: &random) ?? [0], at: place)
    case 6: splice(&input, corpus.randomElement(using: &random) ?? [], place, &random)
    case 7: input.removeLast(input.count - place)
    default:
      // The same many times over: depth, and lists that never end.
      let piece = Array(input[place..<place + length])
      let count = Int.random(in: 2...200, using: &random)
      input.insert(contentsOf: Array(repeatElement(piece, count: count).joined()), at: place)
    }
  }

  private func replace(_ input: inout [UInt8], _ place: Int, _ bytes: [UInt8]) {
    input.replaceSubrange(place..<min(place + bytes.count, input.count), with: bytes)
  }

  private func splice(_ input: inout [UInt8], _ other: [UInt8], _ place: Int, _ random: inout SeededRandom) {
    let from = Int.random(in: 0...other.count, using: &random)
    let count = Int.random(in: 0...min(64, other.count - from), using: &random)
    input.insert(contentsOf: other[from..<from + count], at: place)
  }
}
