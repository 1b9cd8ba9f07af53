import Model

/// Checks service and check blocks of configuration files against the description of their records: every unknown key and
/// every wrong type is reported, under the names that the file uses.
struct DefinitionReader {
  private(set) var unknown: [String] = []
  private(set) var mismatches: [String] = []

  mutating func check(_ block: DynamicObject, _ kind: SettingType.DefinitionKind, path: String) {
    switch kind {
    case .service: members(block, ServiceDefinition.schema.fields, path, isService: true)
    case .check: members(block, CheckDefinition.schema.fields, path)
    }
  }

  private mutating func members(_ block: DynamicObject, _ fields: [Field], _ path: String, isService: Bool = false) {
    for (key, value) in block {
      let inner = "\(path).\(key)"
      if case .null = value { continue }
      guard let field = Self.field(key, fields) else {
        unknown.append(inner)
        continue
      }
      if isService, field.name == "Check" {
        // One block or several: two `check` blocks are two checks.
        records(value, CheckType.schema.fields, inner)
      } else if isService, field.name == "Connect" {
        connect(value, inner)
      } else {
        self.value(value, field, inner)
      }
    }
  }

  private static func field(_ key: String, _ fields: [Field]) -> Field? {
    fields.first { field in matches(key, field.name) || field.aliases.contains { matches(key, $0) } }
  }

  /// Names match without regard to case and underscores: `service_id` is `ServiceID`.
  private static func matches(_ a: String, _ b: String) -> Bool {
    var rest = b.utf8[...]
    for byte in a.utf8 where byte != UInt8(ascii: "_") {
      while rest.first == UInt8(ascii: "_") { rest.removeFirst() }
      guard let other = rest.popFirst(), lowercase(byte) == lowercase(other) else { return false }
    }
    return rest.allSatisfy { $0 == UInt8(ascii: "_") }
  }

  private static func lowercase(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  /// `connect { … }` of a service, with the managed proxies that the record does not know.
  private mutating func connect(_ value: Dynamic, _ path: String) {
    guard let block = value.singleObject else { return mismatches.append(Self.notAMap(path, value)) }
    for (key, value) in block {
      if Self.matches(key, "proxy") {
        managedProxy(value, "\(path).\(key)")
      } else {
        members(DynamicObject([(key, value)]), ServiceConnect.schema.fields, path)
      }
    }
  }

  private mutating func managedProxy(_ value: Dynamic, _ path: String) {
    guard let block = value.singleObject else { return mismatches.append(Self.notAMap(path, value)) }
    for (key, value) in block {
      let inner = "\(path).\(key)"
      if Self.matches(key, "command") {
        strings(value, inner)
      } else if Self.matches(key, "exec_mode") {
        if value.string == nil { mismatches.append(Self.mismatch(inner, value, expected: "string")) }
      } else if Self.matches(key, "upstreams") {
        records(value, Upstream.schema.fields, inner)
      } else if Self.matches(key, "config") {
        guard let config = value.singleObject else { return mismatches.append(Self.notAMap(inner, value)) }
        if let upstreams = config["upstreams"] { records(upstreams, Upstream.schema.fields, "\(inner).upstreams") }
      } else {
        unknown.append(inner)
      }
    }
  }

  // MARK: Values

  private mutating func value(_ value: Dynamic, _ field: Field, _ path: String) {
    switch field.shape {
    case .record(let fields):
      guard let block = value.singleObject else { return mismatches.append(Self.notAMap(path, value)) }
      members(block, fields, path, isService: field.name == "SidecarService")
    case .records(let fields): records(value, fields, path)
    case .recordMap(let fields):
      guard let block = value.singleObject else { return mismatches.append(Self.notAMap(path, value)) }
      for (key, value) in block { records(value, fields, "\(path)[\(key)]", allowsList: false) }
    case .strings: strings(value, path)
    case .map:
      guard let block = value.singleObject else { return mismatches.append(Self.notAMap(path, value)) }
      for (key, value) in block where value.string == nil {
        mismatches.append(Self.mismatch("\(path)[\(key)]", value, expected: "string"))
      }
    case .string, .int, .uint, .double, .bool: scalar(value, field, path)
    case .dynamic, .lists, .hidden: break
    }
  }

  private mutating func records(_ value: Dynamic, _ fields: [Field], _ path: String, allowsList: Bool = true) {
    let elements = allowsList ? value.elements : [value]
    for (index, element) in elements.enumerated() {
      let place = elements.count == 1 && value.array == nil ? path : "\(path)[\(index)]"
      guard let block = element.singleObject else {
        mismatches.append(Self.notAMap(place, element))
        continue
      }
      members(block, fields, place)
    }
  }

  private mutating func strings(_ value: Dynamic, _ path: String) {
    guard let elements = value.array else {
      return mismatches.append("'\(path)': source data must be an array or slice, got \(value.goKind)")
    }
    for (index, element) in elements.enumerated() where element.string == nil {
      mismatches.append(Self.mismatch("\(path)[\(index)]", element, expected: "string"))
    }
  }

  private mutating func scalar(_ value: Dynamic, _ field: Field, _ path: String) {
    var value = value
    if let elements = value.array, elements.count == 1 { value = elements[0] }
    // Durations of configuration files are texts; a bare number would be nanoseconds, which nobody means.
    let isDuration = field.options.contains(.durationText)
    switch (isDuration ? .string : field.shape, value) {
    case (.string, .string), (.bool, .bool), (.double, .double), (.double, .int): return
    case (.int, .int), (.uint, .int), (.uint, .uint), (.int, .double), (.uint, .double): return
    default: break
    }
    mismatches.append(Self.mismatch(path, value, expected: Self.typeName(isDuration ? .string : field.shape)))
  }

  private static func typeName(_ shape: Shape) -> String {
    switch shape {
    case .bool: "bool"
    case .int, .uint: "int"
    case .double: "float64"
    default: "string"
    }
  }

  static func mismatch(_ path: String, _ value: Dynamic, expected: String) -> String {
    "'\(path)' expected type '\(expected)', got unconvertible type '\(value.goType)', value: '\(value.goText)'"
  }

  static func notAMap(_ path: String, _ value: Dynamic) -> String {
    "'\(path)' expected a map, got '\(value.goKind)'"
  }
}
