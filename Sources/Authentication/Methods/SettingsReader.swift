import Model

/// Reads the settings of an auth method, whose names match without regard to case. What is wrong is collected, so that all of
/// it can be told at once.
struct SettingsReader {
  private var rest: [String: (name: String, value: Dynamic)] = [:]
  private var problems: [String] = []

  init(_ settings: DynamicMap) {
    for (name, value) in settings.members { rest[name.lowercased()] = (name, value) }
  }

  private mutating func take(_ name: String) -> Dynamic? {
    guard let value = rest.removeValue(forKey: name.lowercased())?.value else { return nil }
    if case .null = value { return nil }
    return value
  }

  private mutating func mismatch(_ name: String, _ expected: String, _ value: Dynamic) {
    problems.append("'\(name)' expected type '\(expected)', got unconvertible type '\(value.goTypeName)'")
  }

  mutating func string(_ name: String) -> String {
    guard let value = take(name) else { return "" }
    if let text = value.scalarText { return text }
    mismatch(name, "string", value)
    return ""
  }

  /// One text stands for a list of one.
  mutating func strings(_ name: String) -> [String] {
    guard let value = take(name) else { return [] }
    var list: [String] = []
    for element in value.array ?? [value] {
      if let text = element.scalarText { list.append(text) } else { mismatch(name, "string", element) }
    }
    return list
  }

  mutating func map(_ name: String) -> StringMap {
    guard let value = take(name) else { return StringMap() }
    guard let members = value.object else {
      mismatch(name, "map[string]string", value)
      return StringMap()
    }
    var map = StringMap()
    for (key, value) in members {
      if let text = value.scalarText { map[key] = text } else { mismatch("\(name)[\(key)]", "string", value) }
    }
    return map
  }

  mutating func bool(_ name: String) -> Bool {
    guard let value = take(name) else { return false }
    switch value {
    case .bool(let flag): return flag
    case .string("true"), .string("1"), .string("t"): return true
    case .string("false"), .string("0"), .string("f"), .string(""): return false
    default:
      mismatch(name, "bool", value)
      return false
    }
  }

  mutating func int(_ name: String) -> Int64 {
    guard let value = take(name) else { return 0 }
    if let number = value.int { return number }
    if let text = value.string {
      if let number = Int64(text) { return number }
      problems.append("cannot parse '\(name)' as int: strconv.ParseInt: parsing \(text.goQuoted): invalid syntax")
    } else {
      mismatch(name, "int", value)
    }
    return 0
  }

  /// A duration in nanoseconds: zero stands for `standard`, less for none.
  mutating func leeway(_ name: String, standard: GoDuration) -> GoDuration {
    let value = int(name)
    return value == 0 ? standard : value < 0 ? .zero : GoDuration(nanoseconds: value)
  }

  /// - Throws: `AuthenticationError.undecodable` for what did not fit and for settings that nobody asked for.
  func finish() throws(AuthenticationError) {
    var all = problems
    if !rest.isEmpty {
      let names = rest.values.map(\.name).sorted(by: bytewiseLess)
      all.append("'' has invalid keys: \(names.joined(separator: ", "))")
    }
    if !all.isEmpty { throw .undecodable(all) }
  }
}

extension Dynamic {
  fileprivate var scalarText: String? {
    switch self {
    case .string(let text): text
    case .bool(let flag): flag ? "1" : "0"
    case .int, .uint, .double: json
    case .null, .array, .object: nil
    }
  }
}
