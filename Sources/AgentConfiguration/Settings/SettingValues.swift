import Model

/// The values of options, by path: of one source, of the defaults, or of all sources merged.
///
/// Each value has the form of its option's type: `.bool`, `.int`, `.double`, `.string` (also durations, as written),
/// `.array` or `.object`.
public struct SettingValues: Sendable, Equatable {
  private var values: [String: Dynamic] = [:]

  public init() {}

  /// The value at this path; nil if no source has set it.
  public subscript(path: String) -> Dynamic? {
    get { values[path] }
    set { values[path] = newValue }
  }

  /// The paths that have a value, in order.
  public var paths: [String] { values.keys.sorted() }

  /// Puts the values of a later source on top: scalars replace, lists are appended, maps are merged by name.
  public mutating func merge(_ later: SettingValues) {
    for (path, value) in later.values {
      guard let earlier = values[path], let type = SettingTable.setting(at: path)?.type else {
        values[path] = value
        continue
      }
      switch (earlier, value) {
      case (.array(let old), .array(let new)) where type.isList: values[path] = .array(old + new)
      case (.object(var old), .object(let new)) where type.isMap:
        for (key, value) in new { old[key] = value }
        values[path] = .object(old)
      default: values[path] = value
      }
    }
  }

  // MARK: Reading

  public func bool(_ path: String) -> Bool { values[path]?.bool ?? false }
  public func optionalBool(_ path: String) -> Bool? { values[path]?.bool }
  public func int(_ path: String) -> Int { optionalInt(path) ?? 0 }
  public func optionalInt(_ path: String) -> Int? { values[path]?.int.flatMap { Int(exactly: $0) } }
  public func string(_ path: String) -> String { values[path]?.string ?? "" }
  public func strings(_ path: String) -> [String] { values[path]?.array?.compactMap(\.string) ?? [] }
  public func object(_ path: String) -> DynamicObject { values[path]?.object ?? DynamicObject() }
  public func list(_ path: String) -> [Dynamic] { values[path]?.array ?? [] }

  /// The text at this path; nil if it is missing or empty.
  public func nonEmptyString(_ path: String) -> String? {
    let text = string(path)
    return text.isEmpty ? nil : text
  }

  public func double(_ path: String) -> Double {
    switch values[path] {
    case .double(let value): value
    case .int(let value): Double(value)
    default: 0
    }
  }

  public func stringMap(_ path: String) -> [String: String] {
    var result: [String: String] = [:]
    for (key, value) in object(path) { result[key] = value.string ?? "" }
    return result
  }
}
