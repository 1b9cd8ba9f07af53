/// A regular expression in the syntax of RE2 (github.com/google/re2/wiki/Syntax), matched in time linear in the text: the
/// program runs all alternatives at once (Thompson 1968, Pike's virtual machine), so that no pattern of a client can keep an
/// agent busy.
///
/// Answers whether a match exists somewhere in the text, and what its groups matched. Unicode classes by name (`\p{…}`) are
/// not supported.
public struct Pattern: Sendable {
  /// Why a text is no pattern, in RE2's words.
  public struct Invalid: Error, Equatable {
    public let reason: String
  }

  enum Instruction: Sendable {
    case match
    case characters(CharacterClass)
    case jump(Int)
    case split(Int, Int)
    case assert(Assertion)
    /// Notes the place of the text as the beginning or end of a group.
    case save(Int)
  }

  enum Assertion: Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
  }

  let program: [Instruction]
  /// How many groups in parentheses the pattern has.
  public let groupCount: Int

  /// - Throws: `Invalid` for text that is no pattern, or one whose program would be too large.
  public init(_ text: String) throws(Invalid) {
    var parser = PatternParser(text)
    program = try PatternCompiler.compile(try parser.pattern())
    groupCount = parser.groupCount
  }

  /// Whether some part of `text` matches.
  public func matches(_ text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    var machine = Machine(program: program, text: scalars)
    return machine.run()
  }

  /// The set of instructions that are live at one place of the text.
  struct Threads {
    private(set) var list: [Int] = []
    private var seen: [Bool]

    init(_ count: Int) { seen = [Bool](repeating: false, count: count) }

    mutating func insert(_ instruction: Int) -> Bool {
      if seen[instruction] { return false }
      seen[instruction] = true
      list.append(instruction)
      return true
    }

    mutating func clear() {
      for instruction in list { seen[instruction] = false }
      list.removeAll(keepingCapacity: true)
    }
  }

  private struct Machine {
    let program: [Instruction]
    let text: [UnicodeScalar]

    mutating func run() -> Bool {
      var now = Threads(program.count)
      var next = Threads(program.count)
      for place in 0...text.count {
        if add(0, at: place, to: &now) { return true }
        guard place < text.count else { return false }
        for instruction in now.list {
          guard case .characters(let characters) = program[instruction], characters.contains(text[place]) else {
            continue
          }
          if add(instruction + 1, at: place + 1, to: &next) { return true }
        }
        swap(&now, &next)
        next.clear()
      }
      return false
    }

    /// Adds an instruction and all that it leads to without reading; true when a match is among them.
    private func add(_ start: Int, at place: Int, to threads: inout Threads) -> Bool {
      var pending = [start]
      while let instruction = pending.popLast() {
        guard threads.insert(instruction) else { continue }
        switch program[instruction] {
        case .match: return true
        case .jump(let target): pending.append(target)
        case .split(let a, let b):
          pending.append(b)
          pending.append(a)
        case .assert(let assertion):
          if assertion.holds(in: text, at: place) { pending.append(instruction + 1) }
        case .save: pending.append(instruction + 1)
        case .characters: break
        }
      }
      return false
    }
  }
}

extension Pattern.Assertion {
  func holds(in text: [UnicodeScalar], at place: Int) -> Bool {
    switch self {
    case .textStart: place == 0
    case .textEnd: place == text.count
    case .lineStart: place == 0 || text[place - 1] == "\n"
    case .lineEnd: place == text.count || text[place] == "\n"
    case .wordBoundary: Self.isBoundary(text, place)
    case .notWordBoundary: !Self.isBoundary(text, place)
    }
  }

  private static func isBoundary(_ text: [UnicodeScalar], _ place: Int) -> Bool {
    let before = place > 0 && CharacterClass.word.contains(text[place - 1])
    let behind = place < text.count && CharacterClass.word.contains(text[place])
    return before != behind
  }
}

/// A set of characters as ranges of scalars.
struct CharacterClass: Sendable, Equatable {
  var ranges: [ClosedRange<UInt32>]
  var isNegated = false

  func contains(_ scalar: UnicodeScalar) -> Bool {
    ranges.contains { $0.contains(scalar.value) } != isNegated
  }

  static func one(_ scalar: UnicodeScalar) -> CharacterClass { CharacterClass(ranges: [scalar.value...scalar.value]) }
  static let any = CharacterClass(ranges: [], isNegated: true)
  static let notNewline = CharacterClass(ranges: [10...10], isNegated: true)
  static let digit = CharacterClass(ranges: [0x30...0x39])
  static let word = CharacterClass(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let space = CharacterClass(ranges: [0x09...0x0A, 0x0C...0x0D, 0x20...0x20])

  var inverted: CharacterClass { CharacterClass(ranges: ranges, isNegated: !isNegated) }

  /// The same characters as ranges without negation.
  var positiveRanges: [ClosedRange<UInt32>] {
    guard isNegated else { return ranges }
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
      next = max(next, range.upperBound + 1)
    }
    if next <= 0x10FFFF { result.append(next...0x10FFFF) }
    return result
  }

  /// With the other case of every ASCII letter.
  var ignoringCase: CharacterClass {
    var more: [ClosedRange<UInt32>] = []
    for range in ranges {
      if let upper = range.intersection(0x41...0x5A) { more.append((upper.lowerBound + 32)...(upper.upperBound + 32)) }
      if let lower = range.intersection(0x61...0x7A) { more.append((lower.lowerBound - 32)...(lower.upperBound - 32)) }
    }
    return CharacterClass(ranges: ranges + more, isNegated: isNegated)
  }

  /// The classes that `[[:name:]]` may name.
  static let named: [String: [ClosedRange<UInt32>]] = [
    "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A], "alpha": [0x41...0x5A, 0x61...0x7A], "ascii": [0...0x7F],
    "blank": [0x09...0x09, 0x20...0x20], "cntrl": [0...0x1F, 0x7F...0x7F], "digit": [0x30...0x39],
    "graph": [0x21...0x7E], "lower": [0x61...0x7A], "print": [0x20...0x7E],
    "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E], "space": [0x09...0x0D, 0x20...0x20],
    "upper": [0x41...0x5A], "word": [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A],
    "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
  ]
}

extension ClosedRange where Bound == UInt32 {
  fileprivate func intersection(_ other: ClosedRange<UInt32>) -> ClosedRange<UInt32>? {
    let low = Swift.max(lowerBound, other.lowerBound)
    let high = Swift.min(upperBound, other.upperBound)
    return low <= high ? low...high : nil
  }
}
