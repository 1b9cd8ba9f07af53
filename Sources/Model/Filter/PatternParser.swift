/// The tree of a regular expression.
indirect enum PatternNode {
  case empty
  case characters(CharacterClass)
  case assertion(Pattern.Assertion)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  /// What a group in parentheses matched is noted under its number, from 1 on.
  case group(PatternNode, number: Int)
  /// `maximum` nil is without end. A lazy one would rather match less.
  case repetition(PatternNode, minimum: Int, maximum: Int?, isLazy: Bool)
}

/// Reads the syntax of RE2 into a tree.
struct PatternParser {
  static let lengthLimit = 4096
  static let depthLimit = 200
  static let repetitionLimit = 1000

  private struct Flags {
    var ignoresCase = false
    var multiline = false
    var dotMatchesNewline = false
    var isLazy = false
  }

  private let source: String
  private let text: [UnicodeScalar]
  private var place = 0
  private var depth = 0
  private var flags = Flags()
  private(set) var groupCount = 0

  init(_ source: String) {
    self.source = source
    text = Array(source.unicodeScalars)
  }

  mutating func pattern() throws(Pattern.Invalid) -> PatternNode {
    guard text.count <= Self.lengthLimit else { throw invalid("expression too long") }
    let node = try alternatives()
    if place < text.count { throw invalid("unexpected ): `\(source)`") }
    return node
  }

  private func invalid(_ reason: String) -> Pattern.Invalid { Pattern.Invalid(reason: reason) }
  private var peek: UnicodeScalar? { place < text.count ? text[place] : nil }

  private mutating func take(_ scalar: UnicodeScalar) -> Bool {
    guard peek == scalar else { return false }
    place += 1
    return true
  }

  private mutating func next() -> UnicodeScalar? {
    guard let scalar = peek else { return nil }
    place += 1
    return scalar
  }

  private func slice(from start: Int) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text[start..<place])
    return String(view)
  }

  private mutating func alternatives() throws(Pattern.Invalid) -> PatternNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw invalid("expression nests too deeply") }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws(Pattern.Invalid) -> PatternNode {
    var parts: [PatternNode] = []
    while let scalar = peek, scalar != "|", scalar != ")" {
      let start = place
      guard let atom = try atom() else { continue }
      parts.append(try repeated(atom, from: start))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  /// The atom with the repetition that follows it.
  private mutating func repeated(_ atom: PatternNode, from start: Int) throws(Pattern.Invalid) -> PatternNode {
    let operatorStart = place
    guard let (minimum, maximum) = try repetition() else { return atom }
    let isLazy = take("?") != flags.isLazy
    let mark = place
    if try repetition() != nil {
      throw invalid("invalid nested repetition operator: `\(slice(from: operatorStart))`")
    }
    place = mark
    return .repetition(atom, minimum: minimum, maximum: maximum, isLazy: isLazy)
  }

  private mutating func repetition() throws(Pattern.Invalid) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    let start = place
    guard take("{") else { return nil }
    guard let minimum = count() else {
      place = start
      return nil
    }
    var maximum: Int? = minimum
    if take(",") { maximum = count() }
    guard take("}") else {
      place = start
      return nil
    }
    guard minimum <= Self.repetitionLimit, maximum ?? 0 <= Self.repetitionLimit, maximum.map({ $0 >= minimum }) ?? true
    else { throw invalid("invalid repeat count: `\(slice(from: start))`") }
    return (minimum, maximum)
  }

  private mutating func count() -> Int? {
    let start = place
    while let scalar = peek, CharacterClass.digit.contains(scalar) { place += 1 }
    return place > start ? Int(slice(from: start)) ?? Int.max : nil
  }

  /// One atom; nil where only flags were set.
  private mutating func atom() throws(Pattern.Invalid) -> PatternNode? {
    let start = place
    guard let scalar = next() else { return .empty }
    switch scalar {
    case "(": return try group(from: start)
    case "[": return .characters(cased(try bracket(from: start)))
    case ".": return .characters(flags.dotMatchesNewline ? .any : .notNewline)
    case "^": return .assertion(flags.multiline ? .lineStart : .textStart)
    case "$": return .assertion(flags.multiline ? .lineEnd : .textEnd)
    case "*", "+", "?": throw invalid("missing argument to repetition operator: `\(slice(from: start))`")
    case "\\": return try escape()
    default: return .characters(cased(.one(scalar)))
    }
  }

  private func cased(_ characters: CharacterClass) -> CharacterClass {
    flags.ignoresCase ? characters.ignoringCase : characters
  }

  private mutating func group(from start: Int) throws(Pattern.Invalid) -> PatternNode? {
    let outer = flags
    var isNumbered = true
    if take("?") {
      if take("P") || peek == "<" {
        guard take("<") else { throw invalid("invalid or unsupported Perl syntax: `\(slice(from: start))`") }
        while let scalar = peek, CharacterClass.word.contains(scalar) { place += 1 }
        guard take(">") else { throw invalid("invalid named capture: `\(slice(from: start))`") }
      } else if try setFlags(from: start) {
        return nil
      } else {
        isNumbered = false
      }
    }
    if isNumbered { groupCount += 1 }
    let number = groupCount
    let inner = try alternatives()
    flags = outer
    guard take(")") else { throw invalid("missing closing ): `\(source)`") }
    return isNumbered ? .group(inner, number: number) : inner
  }

  /// Reads `i-s:` or `i)`; true when the flags hold for the rest of the group.
  private mutating func setFlags(from start: Int) throws(Pattern.Invalid) -> Bool {
    var value = true
    while let scalar = next() {
      switch scalar {
      case "i": flags.ignoresCase = value
      case "m": flags.multiline = value
      case "s": flags.dotMatchesNewline = value
      case "U": flags.isLazy = value
      case "-": value = false
      case ":": return false
      case ")": return true
      default: throw invalid("invalid or unsupported Perl syntax: `\(slice(from: start))`")
      }
    }
    throw invalid("missing closing ): `\(source)`")
  }

  private mutating func escape() throws(Pattern.Invalid) -> PatternNode {
    let start = place - 1
    guard let scalar = next() else { throw invalid("trailing backslash at end of expression: ``") }
    switch scalar {
    case "A": return .assertion(.textStart)
    case "z": return .assertion(.textEnd)
    case "b": return .assertion(.wordBoundary)
    case "B": return .assertion(.notWordBoundary)
    case "Q": return literalText()
    default: break
    }
    if let characters = Self.perlClass(scalar) { return .characters(characters) }
    return .characters(cased(.one(try escapedScalar(scalar, from: start))))
  }

  /// `\Q … \E`
  private mutating func literalText() -> PatternNode {
    var parts: [PatternNode] = []
    while let scalar = next() {
      if scalar == "\\", peek == "E" {
        place += 1
        break
      }
      parts.append(.characters(cased(.one(scalar))))
    }
    return .sequence(parts)
  }

  private static func perlClass(_ scalar: UnicodeScalar) -> CharacterClass? {
    switch scalar {
    case "d": .digit
    case "D": CharacterClass.digit.inverted
    case "w": .word
    case "W": CharacterClass.word.inverted
    case "s": .space
    case "S": CharacterClass.space.inverted
    default: nil
    }
  }

  private mutating func escapedScalar(_ scalar: UnicodeScalar, from start: Int) throws(Pattern.Invalid) -> UnicodeScalar
  {
    switch scalar {
    case "a": return "\u{7}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "v": return "\u{B}"
    case "x":
      var digits = ""
      if take("{") {
        while let digit = next(), digit != "}" { digits.unicodeScalars.append(digit) }
      } else {
        for _ in 0..<2 { if let digit = next() { digits.unicodeScalars.append(digit) } }
      }
      guard let code = UInt32(digits, radix: 16), let result = UnicodeScalar(code) else { break }
      return result
    default:
      if scalar.isASCII, !CharacterClass.word.contains(scalar) { return scalar }
    }
    throw invalid("invalid escape sequence: `\(slice(from: start))`")
  }

  private mutating func bracket(from start: Int) throws(Pattern.Invalid) -> CharacterClass {
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while true {
      guard let scalar = next() else {
        place = text.count
        throw invalid("missing closing ]: `\(slice(from: start))`")
      }
      if scalar == "]", !isFirst { return CharacterClass(ranges: ranges, isNegated: isNegated) }
      isFirst = false
      if scalar == "[", peek == ":", let named = namedClass() {
        ranges += named
        continue
      }
      if scalar == "\\", let escape = peek, let perl = Self.perlClass(escape) {
        place += 1
        ranges += perl.positiveRanges
        continue
      }
      let low = try bracketScalar(scalar)
      guard peek == "-", place + 1 < text.count, text[place + 1] != "]" else {
        ranges.append(low.value...low.value)
        continue
      }
      let rangeStart = place - 1
      place += 1
      guard let raw = next() else { continue }
      let high = try bracketScalar(raw)
      guard low.value <= high.value else {
        throw invalid("invalid character class range: `\(slice(from: rangeStart))`")
      }
      ranges.append(low.value...high.value)
    }
  }

  private mutating func bracketScalar(_ scalar: UnicodeScalar) throws(Pattern.Invalid) -> UnicodeScalar {
    guard scalar == "\\" else { return scalar }
    let start = place - 1
    guard let escape = next() else { throw invalid("trailing backslash at end of expression: ``") }
    return try escapedScalar(escape, from: start)
  }

  /// The rest of `[:name:]`, or nil if it is none.
  private mutating func namedClass() -> [ClosedRange<UInt32>]? {
    let mark = place
    place += 1
    let isNegated = take("^")
    let start = place
    while let scalar = peek, CharacterClass.word.contains(scalar) { place += 1 }
    let name = slice(from: start)
    guard take(":"), take("]"), let ranges = CharacterClass.named[name] else {
      place = mark
      return nil
    }
    return CharacterClass(ranges: ranges, isNegated: isNegated).positiveRanges
  }
}

/// Turns the tree into a program.
enum PatternCompiler {
  static let programLimit = 20_000

  static func compile(_ node: PatternNode) throws(Pattern.Invalid) -> [Pattern.Instruction] {
    var program: [Pattern.Instruction] = []
    try emit(node, &program)
    program.append(.match)
    return program
  }

  private static func emit(_ node: PatternNode, _ program: inout [Pattern.Instruction]) throws(Pattern.Invalid) {
    guard program.count <= programLimit else { throw Pattern.Invalid(reason: "expression too large") }
    switch node {
    case .empty: break
    case .characters(let characters): program.append(.characters(characters))
    case .assertion(let assertion): program.append(.assert(assertion))
    case .sequence(let parts): for part in parts { try emit(part, &program) }
    case .alternatives(let branches): try emitAlternatives(branches[...], &program)
    case .group(let inner, let number):
      program.append(.save(2 * number))
      try emit(inner, &program)
      program.append(.save(2 * number + 1))
    case .repetition(let inner, let minimum, let maximum, let isLazy):
      for _ in 0..<minimum { try emit(inner, &program) }
      if let maximum {
        for _ in minimum..<max(maximum, minimum) { try emitOptional(inner, isLazy, &program) }
      } else {
        let start = program.count
        program.append(.match)
        try emit(inner, &program)
        program.append(.jump(start))
        program[start] = choice(start + 1, program.count, isLazy)
      }
    }
  }

  /// Into a repetition or past it: what is tried first wins.
  private static func choice(_ inside: Int, _ outside: Int, _ isLazy: Bool) -> Pattern.Instruction {
    isLazy ? .split(outside, inside) : .split(inside, outside)
  }

  private static func emitOptional(
    _ inner: PatternNode, _ isLazy: Bool, _ program: inout [Pattern.Instruction]
  ) throws(Pattern.Invalid) {
    let start = program.count
    program.append(.match)
    try emit(inner, &program)
    program[start] = choice(start + 1, program.count, isLazy)
  }

  private static func emitAlternatives(
    _ branches: ArraySlice<PatternNode>, _ program: inout [Pattern.Instruction]
  ) throws(Pattern.Invalid) {
    guard let first = branches.first else { return }
    guard branches.count > 1 else { return try emit(first, &program) }
    let split = program.count
    program.append(.match)
    try emit(first, &program)
    let jump = program.count
    program.append(.match)
    program[split] = .split(split + 1, program.count)
    try emitAlternatives(branches.dropFirst(), &program)
    program[jump] = .jump(program.count)
  }
}
