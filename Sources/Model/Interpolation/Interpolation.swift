/// A text with expressions in it, `web-${match(1)}`: parsed once, evaluated with the names of one lookup. `$${` stands for
/// `${` itself.
///
/// Expressions are literals, variables, calls of functions, arithmetic, comparisons, logic and the choice `a ? b : c`. They
/// are evaluated in time linear in their length: nothing in them repeats.
public struct Interpolation: Sendable {
  /// Why a text cannot be used, and where: line and column, both from 1.
  public struct Problem: Error, Equatable, CustomStringConvertible {
    public var line: Int
    public var column: Int
    public var reason: String
    /// Whether the text could not even be read.
    public var isSyntax: Bool

    public var description: String { "\(isSyntax ? "parse error at " : "")\(line):\(column): \(reason)" }
  }

  struct Place: Sendable {
    var line: Int
    var column: Int
  }

  enum Part: Sendable {
    case text(String)
    case expression(Expression)
  }

  indirect enum Expression: Sendable {
    case value(Value)
    /// A literal in quotes, which may contain expressions itself.
    case text(Interpolation)
    case variable(String, Place)
    case call(String, [Expression], Place)
    case negation(Expression, Place)
    case opposite(Expression, Place)
    case binary(Operator, Expression, Expression, Place)
    case choice(Expression, Expression, Expression, Place)
  }

  enum Operator: String, Sendable {
    case or = "||"
    case and = "&&"
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divided = "/"
    case modulo = "%"
  }

  enum Value: Sendable, Equatable {
    case text(String)
    case int(Int)
    case double(Double)
    case bool(Bool)
  }

  var parts: [Part]

  /// - Throws: `Problem` for text that cannot be read.
  public init(_ text: String) throws(Problem) {
    var parser = InterpolationParser(text)
    self = try parser.interpolation()
  }

  init(parts: [Part]) { self.parts = parts }

  /// Whether the text is the same whatever is looked up.
  public var isPlain: Bool { parts.allSatisfy { if case .text = $0 { true } else { false } } }
}

/// What the names in expressions stand for.
public struct InterpolationNames {
  var variables: [String: String]
  /// Functions of one number.
  var functions: [String: (Int) -> String]

  public init(variables: [String: String], functions: [String: (Int) -> String] = [:]) {
    self.variables = variables
    self.functions = functions
  }
}

extension Interpolation {
  /// - Throws: `Problem` for names that nothing stands for and operations that make no sense.
  public func text(_ names: InterpolationNames) throws(Problem) -> String {
    var result = ""
    for part in parts {
      switch part {
      case .text(let text): result += text
      case .expression(let expression): result += try expression.value(names).text
      }
    }
    return result
  }
}

extension Interpolation.Value {
  var text: String {
    switch self {
    case .text(let text): text
    case .int(let number): String(number)
    case .double(let number): String(number)
    case .bool(let value): value ? "true" : "false"
    }
  }

  var typeName: String {
    switch self {
    case .text: "string"
    case .int: "int"
    case .double: "float"
    case .bool: "bool"
    }
  }

  var bool: Bool? {
    switch self {
    case .bool(let value): value
    case .text("true"), .text("1"): true
    case .text("false"), .text("0"): false
    default: nil
    }
  }

  /// Text that reads as a number is one.
  var number: Interpolation.Value? {
    switch self {
    case .int, .double: self
    case .text(let text): Int(text).map { .int($0) } ?? Double(text).map { .double($0) }
    case .bool: nil
    }
  }

  var double: Double {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    default: .nan
    }
  }
}

extension Interpolation.Expression {
  typealias Value = Interpolation.Value
  typealias Problem = Interpolation.Problem
  typealias Place = Interpolation.Place

  func value(_ names: InterpolationNames) throws(Problem) -> Value {
    switch self {
    case .value(let value): return value
    case .text(let inner): return .text(try inner.text(names))
    case .variable(let name, let place):
      guard let text = names.variables[name] else { throw place.problem("unknown variable accessed: \(name)") }
      return .text(text)
    case .call(let name, let arguments, let place): return try call(name, arguments, place, names)
    case .negation(let inner, let place): return .bool(!(try inner.bool(names, place)))
    case .opposite(let inner, let place):
      return try Self.arithmetic(.minus, .int(0), try inner.value(names), place)
    case .binary(let op, let left, let right, let place): return try binary(op, left, right, place, names)
    case .choice(let condition, let yes, let no, let place):
      return try condition.bool(names, place) ? yes.value(names) : no.value(names)
    }
  }

  private func bool(_ names: InterpolationNames, _ place: Place) throws(Problem) -> Bool {
    let value = try value(names)
    guard let bool = value.bool else { throw place.problem("expected bool, got \(value.typeName)") }
    return bool
  }

  private func call(
    _ name: String, _ arguments: [Self], _ place: Place, _ names: InterpolationNames
  ) throws(Problem) -> Value {
    guard let function = names.functions[name] else { throw place.problem("unknown function called: \(name)") }
    guard arguments.count == 1 else {
      throw place.problem("\(name): expected 1 arguments, got \(arguments.count)")
    }
    let value = try arguments[0].value(names)
    switch value.number {
    case .int(let number): return .text(function(number))
    case .double(let number) where number.isFinite: return .text(function(Int(clamping: Int64(clamped: number))))
    default: throw place.problem("\(name): argument 1 should be int, got \(value.typeName)")
    }
  }

  private func binary(
    _ op: Interpolation.Operator, _ left: Self, _ right: Self, _ place: Place, _ names: InterpolationNames
  ) throws(Problem) -> Value {
    switch op {
    case .or:
      let isTrue = try left.bool(names, place)
      return .bool(try right.bool(names, place) || isTrue)
    case .and:
      let isTrue = try left.bool(names, place)
      return .bool(try right.bool(names, place) && isTrue)
    case .equal, .notEqual:
      let isEqual = Self.areEqual(try left.value(names), try right.value(names))
      return .bool(isEqual == (op == .equal))
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      return .bool(try Self.compare(op, try left.value(names), try right.value(names), place))
    case .plus, .minus, .times, .divided, .modulo:
      return try Self.arithmetic(op, try left.value(names), try right.value(names), place)
    }
  }

  private static func areEqual(_ a: Value, _ b: Value) -> Bool {
    if a == b { return true }
    if let x = a.number, let y = b.number { return x.double == y.double }
    return a.text == b.text
  }

  private static func numbers(
    _ op: Interpolation.Operator, _ a: Value, _ b: Value, _ place: Place
  ) throws(Problem) -> (Value, Value) {
    guard let x = a.number, let y = b.number else {
      throw place.problem("operator \(op.rawValue) needs numbers, got \(a.typeName) and \(b.typeName)")
    }
    return (x, y)
  }

  private static func compare(
    _ op: Interpolation.Operator, _ a: Value, _ b: Value, _ place: Place
  ) throws(Problem) -> Bool {
    let (x, y) = try numbers(op, a, b, place)
    switch op {
    case .less: return x.double < y.double
    case .lessOrEqual: return x.double <= y.double
    case .greater: return x.double > y.double
    default: return x.double >= y.double
    }
  }

  private static func arithmetic(
    _ op: Interpolation.Operator, _ a: Value, _ b: Value, _ place: Place
  ) throws(Problem) -> Value {
    let (x, y) = try numbers(op, a, b, place)
    guard case .int(let i) = x, case .int(let j) = y else { return try arithmetic(op, x.double, y.double, place) }
    if j == 0, op == .divided || op == .modulo { throw place.problem("divide by zero") }
    let (result, overflow) =
      switch op {
      case .plus: i.addingReportingOverflow(j)
      case .minus: i.subtractingReportingOverflow(j)
      case .times: i.multipliedReportingOverflow(by: j)
      case .divided: i.dividedReportingOverflow(by: j)
      default: i.remainderReportingOverflow(dividingBy: j)
      }
    if overflow { throw place.problem("number out of range") }
    return .int(result)
  }

  private static func arithmetic(
    _ op: Interpolation.Operator, _ x: Double, _ y: Double, _ place: Place
  ) throws(Problem) -> Value {
    switch op {
    case .plus: return .double(x + y)
    case .minus: return .double(x - y)
    case .times: return .double(x * y)
    case .divided:
      if y == 0 { throw place.problem("divide by zero") }
      return .double(x / y)
    default: throw place.problem("operator % needs whole numbers")
    }
  }
}

extension Interpolation.Place {
  func problem(_ reason: String, isSyntax: Bool = false) -> Interpolation.Problem {
    Interpolation.Problem(line: line, column: column, reason: reason, isSyntax: isSyntax)
  }
}

extension Int64 {
  /// The whole part of a finite number, or the nearest bound.
  init(clamped number: Double) { self = Int64(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max) }
}
