/// A value without a fixed shape: what JSON and HCL texts say, and the opaque `Config` of records.
public indirect enum Dynamic: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  /// A whole number above `Int64.max`.
  case uint(UInt64)
  case double(Double)
  case string(String)
  case array([Dynamic])
  case object(DynamicObject)
}

/// The members of an object in the order in which they were written.
public struct DynamicObject: Sendable, Sequence {
  public private(set) var members: [(key: String, value: Dynamic)] = []

  public init() {}
  public init(_ members: [(key: String, value: Dynamic)]) { self.members = members }

  public var isEmpty: Bool { members.isEmpty }
  public var count: Int { members.count }
  public func makeIterator() -> IndexingIterator<[(key: String, value: Dynamic)]> { members.makeIterator() }

  /// Adds a member at the end, without looking for one of the same name.
  public mutating func append(_ key: String, _ value: Dynamic) { members.append((key, value)) }

  /// The last value of that exact name: the one that wins where a text names it twice.
  public subscript(key: String) -> Dynamic? {
    get { members.last { $0.key == key }?.value }
    set {
      members.removeAll { $0.key == key }
      if let newValue { members.append((key, newValue)) }
    }
  }
}

extension Dynamic: Equatable {
  /// Numbers compare by value (1000 equals 1000.0), objects without regard to order.
  public static func == (a: Dynamic, b: Dynamic) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    case (.array(let a), .array(let b)): a == b
    case (.object(let a), .object(let b)):
      a.count == b.count && a.allSatisfy { member in b[member.key].map { $0 == member.value } ?? false }
    case (.int(let a), .int(let b)): a == b
    case (.uint(let a), .uint(let b)): a == b
    default:
      if let a = a.number, let b = b.number { a == b } else { false }
    }
  }

  private var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .uint(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}

extension Dynamic: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Dynamic...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, Dynamic)...) {
    self = .object(DynamicObject(elements.map { (key: $0.0, value: $0.1) }))
  }
}

extension Dynamic {
  public var object: DynamicObject? { if case .object(let members) = self { members } else { nil } }
  public var array: [Dynamic]? { if case .array(let elements) = self { elements } else { nil } }
  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  public var int: Int64? {
    switch self {
    case .int(let value): value
    case .double(let value): Int64(exactly: value)
    default: nil
    }
  }
  public subscript(key: String) -> Dynamic? { object?[key] }
}
