/// Something that filters can look into: a record, or an answer made of several.
public protocol Filterable {
  /// The names that selectors may start with, and what is behind each.
  static var filterMembers: [(name: String, shape: Shape)] { get }
  /// The value behind `filterMembers[index]`.
  func filterMember(_ index: Int) -> Selected
}

extension Record {
  public static var filterMembers: [(name: String, shape: Shape)] {
    schema.fields.map { ($0.name, $0.filterShape) }
  }

  public func filterMember(_ index: Int) -> Selected { select(Self.schema.fields[index]) }
}

extension Field {
  var filterShape: Shape { options.contains(.notSelectable) ? .hidden : type.shape }
}

/// Checks of filter texts that do not ask what the selectors select.
public enum FilterSyntax {
  /// - Throws: `FilterError` for text outside the grammar.
  public static func check(_ text: String) throws(FilterError) { _ = try FilterParser.parse(text) }
}

/// A filter expression bound to the fields of a type: ready to be asked of each element of an answer.
public struct Filter<Root: Filterable>: Sendable {
  private let root: BoundFilter

  /// - Throws: `FilterError` for text outside the grammar, selectors that the type does not have, operators and values
  ///   that do not fit them.
  public init(_ text: String) throws(FilterError) {
    root = try BoundFilter(try FilterParser.parse(text), Root.filterMembers)
  }

  public func matches(_ element: Root) -> Bool {
    root.matches { element.filterMember($0) }
  }
}

/// An expression whose selectors are resolved and whose values are converted.
private indirect enum BoundFilter: Sendable {
  case or(BoundFilter, BoundFilter)
  case and(BoundFilter, BoundFilter)
  case not(BoundFilter)
  case match(member: Int, [FilterStep], FilterTest, negated: Bool)

  init(_ expression: FilterExpression, _ members: [(name: String, shape: Shape)]) throws(FilterError) {
    switch expression {
    case .or(let a, let b): self = .or(try BoundFilter(a, members), try BoundFilter(b, members))
    case .and(let a, let b): self = .and(try BoundFilter(a, members), try BoundFilter(b, members))
    case .not(let inner): self = .not(try BoundFilter(inner, members))
    case .match(let selector, let comparison, let value):
      guard let member = members.firstIndex(where: { $0.name == selector[0] }) else {
        throw .invalidSelector(selector[0])
      }
      let (steps, shape) = try Self.resolve(selector, from: members[member].shape)
      let positive = comparison.positive
      let test = try FilterTest(
        comparison, positive.operator, value, shape: shape, selector: selector.joined(separator: "."))
      self = .match(member: member, steps, test, negated: positive.negated)
    }
  }

  /// The steps from the value of the first name to the one that the whole selector names.
  private static func resolve(
    _ selector: [String], from first: Shape
  ) throws(FilterError) -> ([FilterStep], Shape) {
    var shape = first
    var steps: [FilterStep] = []
    if case .hidden = shape { throw .invalidSelector(selector[0]) }
    for depth in 1..<max(selector.count, 1) {
      let name = selector[depth]
      switch shape {
      case .record(let fields), .records(let fields):
        guard let field = fields.first(where: { $0.name == name }) else { throw invalid(selector, depth) }
        shape = field.filterShape
        steps.append(.field(field))
        if case .hidden = shape { throw invalid(selector, depth) }
      case .map:
        shape = .string
        steps.append(.key(name))
      case .lists:
        shape = .strings
        steps.append(.key(name))
      case .recordMap(let fields):
        shape = .record(fields)
        steps.append(.key(name))
      default: throw invalid(selector, depth)
      }
    }
    return (steps, shape)
  }

  private static func invalid(_ selector: [String], _ depth: Int) -> FilterError {
    .invalidSelector(selector[...depth].joined(separator: "."))
  }

  func matches(_ member: (Int) -> Selected) -> Bool {
    switch self {
    case .or(let a, let b): a.matches(member) || b.matches(member)
    case .and(let a, let b): a.matches(member) && b.matches(member)
    case .not(let inner): !inner.matches(member)
    case .match(let index, let steps, let test, let negated):
      Self.test(member(index), steps[...], test, negated)
    }
  }

  private static func test(
    _ value: Selected, _ steps: ArraySlice<FilterStep>, _ test: FilterTest, _ negated: Bool
  ) -> Bool {
    // Of a list of records one that fits is enough, for the negated operators, too.
    if case .records(let records) = value, !steps.isEmpty {
      return records.contains { Self.test(.record($0), steps, test, negated) }
    }
    guard let step = steps.first else { return test.holds(for: value) != negated }
    let rest = steps.dropFirst()
    switch (step, value) {
    case (.field(let field), .record(let record)): return Self.test(record.select(field), rest, test, negated)
    case (.key(let key), .map(let map)):
      return Self.test(map[key].map { .string($0) } ?? .absent, rest, test, negated)
    case (.key(let key), .lists(let lists)):
      return Self.test(lists[key].map { .strings($0) } ?? .absent, rest, test, negated)
    case (.key(let key), .recordMap(let members)):
      let found = members.first { $0.key == key }
      return Self.test(found.map { .record($0.value) } ?? .absent, rest, test, negated)
    default: return negated
    }
  }
}

/// One step of a selector behind its first name.
private enum FilterStep: Sendable {
  case field(Field)
  case key(String)
}

/// A comparison with its value in the type of what it is compared with.
private enum FilterTest: Sendable {
  case string(String), int(Int64), uint(UInt64), double(Double), bool(Bool)
  case contains(String)
  case isEmpty
  case matches(Pattern)

  init(
    _ written: FilterOperator, _ positive: FilterOperator, _ value: String, shape: Shape, selector: String
  ) throws(FilterError) {
    func coerced<T>(_ type: String, _ convert: (String) -> T?) throws(FilterError) -> T {
      guard let result = convert(value) else {
        throw .notCoercible(
          value: value, selector: selector, reason: "strconv.\(type): parsing \"\(value)\": invalid syntax")
      }
      return result
    }
    switch (positive, shape) {
    case (.equal, .string): self = .string(value)
    case (.equal, .int): self = .int(try coerced("ParseInt") { Int64($0) })
    case (.equal, .uint): self = .uint(try coerced("ParseUint") { UInt64($0) })
    case (.equal, .double): self = .double(try coerced("ParseFloat") { Double($0) })
    case (.equal, .bool): self = .bool(try coerced("ParseBool", goBool))
    case (.contains, .string), (.contains, .strings), (.contains, .map), (.contains, .lists),
      (.contains, .recordMap):
      self = .contains(value)
    case (.isEmpty, .strings), (.isEmpty, .map), (.isEmpty, .lists), (.isEmpty, .records),
      (.isEmpty, .recordMap):
      self = .isEmpty
    case (.matches, .string):
      do throws(Pattern.Invalid) {
        self = .matches(try Pattern(value))
      } catch {
        throw .invalidPattern(value, reason: error.reason)
      }
    default: throw .invalidOperator(written.rawValue, selector: selector)
    }
  }

  func holds(for value: Selected) -> Bool {
    switch (self, value) {
    case (.string(let wanted), .string(let text)): text == wanted
    case (.int(let wanted), .int(let number)): number == wanted
    case (.uint(let wanted), .uint(let number)): number == wanted
    case (.double(let wanted), .double(let number)): number == wanted
    case (.bool(let wanted), .bool(let flag)): flag == wanted
    case (.contains(let part), .string(let text)): text.containsBytes(of: part)
    case (.contains(let element), .strings(let list)): list.contains(element)
    case (.contains(let key), .map(let map)): map[key] != nil
    case (.contains(let key), .lists(let lists)): lists[key] != nil
    case (.contains(let key), .recordMap(let members)): members.contains { $0.key == key }
    case (.isEmpty, .strings(let list)): list.isEmpty
    case (.isEmpty, .map(let map)): map.isEmpty
    case (.isEmpty, .lists(let lists)): lists.isEmpty
    case (.isEmpty, .records(let records)): records.isEmpty
    case (.isEmpty, .recordMap(let members)): members.isEmpty
    case (.matches(let pattern), .string(let text)): pattern.matches(text)
    default: false
    }
  }
}

/// The texts that Go reads as booleans.
private func goBool(_ text: String) -> Bool? {
  switch text {
  case "1", "t", "T", "true", "TRUE", "True": true
  case "0", "f", "F", "false", "FALSE", "False": false
  default: nil
  }
}

extension String {
  fileprivate func containsBytes(of part: String) -> Bool {
    if part.isEmpty { return true }
    let hay = Array(utf8)
    let needle = Array(part.utf8)
    guard hay.count >= needle.count else { return false }
    return (0...(hay.count - needle.count)).contains { hay[$0...].starts(with: needle) }
  }
}
