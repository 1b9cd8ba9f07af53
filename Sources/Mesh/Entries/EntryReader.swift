import Model

/// Brings input into the canonical form of a record, by the record's description: names as the API spells them, values of
/// the fields' types. Collects everything that is wrong on the way, so that one answer names it all.
struct EntryReader {
  private let underscores: Bool
  let blocks: Bool
  /// Values that do not fit.
  private var problems: [String] = []
  /// Paths of fields that do not exist.
  private var unknown: [String] = []

  init(_ kind: ConfigEntryKind, blocks: Bool) {
    underscores = kind.allowsUnderscores
    self.blocks = blocks
  }

  /// - Throws: `ConfigEntryError` if anything was wrong.
  func finish() throws(ConfigEntryError) {
    if !problems.isEmpty { throw ConfigEntryError(Self.report(problems)) }
    if !unknown.isEmpty { throw ConfigEntryError(list: unknown.map(complaint)) }
  }

  /// Notes that a value does not fit, and stands for it.
  mutating func refuse(_ problem: String) -> Dynamic {
    problems.append(problem)
    return .null
  }

  static func report(_ problems: [String]) -> String {
    "\(problems.count) error(s) decoding:\n\n"
      + problems.map { "* \($0)" }.sorted(by: bytewiseLess).joined(separator: "\n")
  }

  private func complaint(_ path: String) -> String {
    let folded = path.lowercased()
    let text = "invalid config key \(path.goQuoted)"
    if folded == "namespace" || folded.hasSuffix(".namespace") {
      return text + ", namespaces are a consul enterprise feature"
    }
    // Of all kinds, those of API gateways have `JWT` without anything in it.
    let isGatewayToken = !underscores && folded.contains(".jwt.")
    return isGatewayToken ? text + ", api-gateway jwt validation is a consul enterprise feature" : text
  }

  // MARK: records

  mutating func record(_ members: DynamicObject, _ fields: [Field], path: String) -> DynamicObject {
    var result = DynamicObject()
    var written: [(field: Int, value: Dynamic)] = []
    var strangers: [String] = []
    for (key, value) in members {
      guard let index = index(of: key, in: fields) else {
        strangers.append(Self.member(path, key))
        continue
      }
      written.append((index, value))
    }
    for (index, field) in fields.enumerated() where !field.options.contains(.readOnly) {
      guard let value = written.last(where: { $0.field == index })?.value else { continue }
      if let value = self.value(value, of: field, path: Self.member(path, field.name)) {
        result.append(field.name, value)
      }
    }
    unknown += strangers
    return result
  }

  private func index(of key: String, in fields: [Field]) -> Int? {
    let folded = key.lowercased()
    func find(_ name: String) -> Int? {
      fields.firstIndex { field in
        field.name.lowercased() == name || field.aliases.contains { $0.lowercased() == name }
      }
    }
    if let found = find(folded) { return found }
    return underscores && folded.contains("_") ? find(folded.filter { $0 != "_" }) : nil
  }

  static func member(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  // MARK: values

  /// What the field holds in canonical form; nil for nothing.
  private mutating func value(_ value: Dynamic, of field: Field, path: String) -> Dynamic? {
    var value = value
    switch field.shape {
    case .strings, .records, .hidden, .lists: break
    default: value = single(value)
    }
    if case .null = value { return nil }
    if field.isOpaque { return opaqueMap(value, path: path) }
    if case .string = value, case .int = field.shape {
      // A number, or what a type reads itself: durations.
      switch field.problem(with: value, DecodingContext(.configuration, path: path)) {
      case nil: return value
      case .invalid(let path, let reason)?: return refuse("error decoding '\(path)': \(reason)")
      default: break
      }
    }
    return self.value(value, field.shape, path: path) ?? leaf(value, of: field, path: path)
  }

  /// Nil if the shape does not say what the type is.
  private mutating func value(_ value: Dynamic, _ shape: Shape, path: String) -> Dynamic? {
    switch shape {
    case .strings: list(value, path: path) { $0.scalar($0.single($1), .string, path: $2) }
    case .records(let fields):
      list(value, path: path) { $0.object($0.single($1), path: $2) { $0.record($1, fields, path: $2) } }
    case .record(let fields): object(value, path: path) { $0.record($1, fields, path: $2) }
    case .recordMap(let fields):
      object(value, path: path) {
        $0.map($1, path: $2) { $0.object($0.single($1), path: $2) { $0.record($1, fields, path: $2) } }
      }
    case .map:
      object(value, path: path) { $0.map($1, path: $2) { $0.scalar($0.single($1), .string, path: $2) } }
    case .string, .bool, .int, .uint, .double: scalar(value, shape, path: path)
    case .lists, .dynamic, .hidden: nil
    }
  }

  /// What a field is whose description says nothing of its type: the type itself decides.
  private mutating func leaf(_ value: Dynamic, of field: Field, path: String) -> Dynamic? {
    let problem = field.problem(with: value, DecodingContext(.configuration, path: path))
    return problem.map { refuse(Self.text(of: $0)) } ?? value
  }

  static func text(of problem: DecodingError) -> String {
    switch problem {
    case .invalid(let path, let reason): "error decoding '\(path)': \(reason)"
    case .mismatch(let path, let found, let expected):
      "'\(path)' expected type '\(expected)', got unconvertible type '\(found)'"
    case .unknownField(let path, let name): "'\(path)' has no field '\(name)'"
    }
  }

  /// A list of one stands for what is in it, an empty one for nothing.
  private func single(_ value: Dynamic) -> Dynamic {
    guard case .array(let elements) = value, elements.count < 2 else { return value }
    return elements.first ?? .null
  }

  private mutating func list(
    _ value: Dynamic, path: String, _ element: (inout EntryReader, Dynamic, String) -> Dynamic
  ) -> Dynamic {
    var elements = [value]
    switch value {
    case .array(let values): elements = values
    case .object(let members) where members.isEmpty: elements = []
    default: break
    }
    return .array(elements.enumerated().map { element(&self, $1, "\(path)[\($0)]") })
  }

  private mutating func object(
    _ value: Dynamic, path: String, _ read: (inout EntryReader, DynamicObject, String) -> DynamicObject
  ) -> Dynamic {
    switch value {
    case .object(let members): return .object(read(&self, members, path))
    case .null: return .object(DynamicObject())
    default:
      return refuse("'\(path)' expected a map, got '\(value.kindName(blocks: blocks))'")
    }
  }

  private mutating func map(
    _ members: DynamicObject, path: String, _ element: (inout EntryReader, Dynamic, String) -> Dynamic
  ) -> DynamicObject {
    DynamicObject(members.map { ($0.key, element(&self, $0.value, "\(path)[\($0.key)]")) })
  }
}
