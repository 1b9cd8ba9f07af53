import Model

/// Scalars may be written as scalars of another type.
extension EntryReader {
  mutating func scalar(_ value: Dynamic, _ shape: Shape, path: String) -> Dynamic {
    switch (shape, value) {
    case (_, .null): return .null
    case (.string, .string), (.bool, .bool), (.int, .int), (.uint, .uint), (.double, .double), (.double, .int):
      return value
    case (.string, .bool(let flag)): return .string(flag ? "1" : "0")
    case (.string, .int(let number)): return .string(String(number))
    case (.string, .uint(let number)): return .string(String(number))
    case (.string, .double(let number)): return .string(number.plainText)
    case (.bool, .int(let number)): return .bool(number != 0)
    case (.bool, .uint(let number)): return .bool(number != 0)
    case (.bool, .double(let number)): return .bool(number != 0)
    case (.bool, .string(let text)): return bool(text, path: path)
    case (.int, _), (.uint, _): return integer(value, shape, path: path)
    case (.double, .uint(let number)): return .double(Double(number))
    case (.double, .bool(let flag)): return .int(flag ? 1 : 0)
    case (.double, .string(let text)):
      if text.isEmpty { return .int(0) }
      if let number = Double(text), number.isFinite { return .double(number) }
      return refuse("cannot parse '\(path)' as float: strconv.ParseFloat: parsing \(text.goQuoted): invalid syntax")
    default: return mismatch(value, shape, path: path)
    }
  }

  private mutating func bool(_ text: String, path: String) -> Dynamic {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": return .bool(true)
    case "", "0", "f", "F", "false", "FALSE", "False": return .bool(false)
    default:
      return refuse("cannot parse '\(path)' as bool: strconv.ParseBool: parsing \(text.goQuoted): invalid syntax")
    }
  }

  private mutating func integer(_ value: Dynamic, _ shape: Shape, path: String) -> Dynamic {
    let isSigned = if case .int = shape { true } else { false }
    switch value {
    case .int(let number):
      if isSigned || number >= 0 { return value }
      return refuse("cannot parse '\(path)', \(blocks ? "\(number)" : "\(number).000000") overflows uint")
    case .uint(let number): return isSigned ? .int(Int64(clamping: number)) : value
    case .double(let number):
      if !isSigned, number < 0 { return refuse("cannot parse '\(path)', \(number.sixDecimals) overflows uint") }
      guard let whole = Int64(exactly: number.rounded(.towardZero)) else {
        return refuse("cannot parse '\(path)', \(number.sixDecimals) is out of range")
      }
      return .int(whole)
    case .bool(let flag): return .int(flag ? 1 : 0)
    case .string(let text):
      if text.isEmpty { return .int(0) }
      if isSigned, let number = Int64(text) { return .int(number) }
      if !isSigned, let number = UInt64(text) { return .uint(number) }
      let (word, function) = isSigned ? ("int", "ParseInt") : ("uint", "ParseUint")
      return refuse("cannot parse '\(path)' as \(word): strconv.\(function): parsing \(text.goQuoted): invalid syntax")
    default: return mismatch(value, shape, path: path)
    }
  }

  private mutating func mismatch(_ value: Dynamic, _ shape: Shape, path: String) -> Dynamic {
    let expected =
      switch shape {
      case .string: "string"
      case .bool: "bool"
      case .int: "int"
      case .uint: "uint32"
      default: "float32"
      }
    return refuse(
      "'\(path)' expected type '\(expected)', got unconvertible type '\(value.typeName(blocks: blocks))', "
        + "value: '\(value.plainText)'")
  }

  // MARK: opaque maps

  mutating func opaqueMap(_ value: Dynamic, path: String) -> Dynamic {
    var value = value
    if case .array(let elements) = value, elements.count < 2 { value = elements.first ?? .null }
    switch value {
    case .null: return .null
    case .object: return opaque(value, path: path)
    default: return refuse("'\(path)' expected a map, got '\(value.kindName(blocks: blocks))'")
    }
  }

  /// Opaque configuration is kept as it is, but for numbers, which JSON does not divide into whole and other ones, and HCL's
  /// blocks. `null` has no meaning in a list.
  private mutating func opaque(_ value: Dynamic, path: String) -> Dynamic {
    switch value {
    case .int(let number): return blocks ? value : .double(Double(number))
    case .uint(let number): return blocks ? value : .double(Double(number))
    case .object(let members):
      return .object(DynamicObject(members.map { ($0.key, opaque($0.value, path: "\(path)[\($0.key)]")) }))
    case .array(let elements):
      if blocks, elements.count == 1, case .object = elements[0] { return opaque(elements[0], path: path) }
      return .array(
        elements.enumerated().map { (index, element) in
          if case .null = element { return refuse("'\(path)[\(index)]' must not be null") }
          return opaque(element, path: "\(path)[\(index)]")
        })
    default: return value
    }
  }
}

extension Dynamic {
  /// What the reference's decoder calls the kind of a value.
  func kindName(blocks: Bool) -> String {
    switch self {
    case .null: "invalid"
    case .bool: "bool"
    case .int, .uint: blocks ? "int" : "float64"
    case .double: "float64"
    case .string: "string"
    case .array: "slice"
    case .object: "map"
    }
  }

  /// What the reference's decoder calls the type of a value.
  func typeName(blocks: Bool) -> String {
    switch self {
    case .array: "[]interface {}"
    case .object: "map[string]interface {}"
    default: kindName(blocks: blocks)
    }
  }

  /// The value in one line, as the reference's errors show it.
  var plainText: String {
    switch self {
    case .null: "<nil>"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .uint(let number): String(number)
    case .double(let number): number.plainText
    case .string(let text): text
    case .array(let elements): "[" + elements.map(\.plainText).joined(separator: " ") + "]"
    case .object(let members):
      "map["
        + members.sorted { bytewiseLess($0.key, $1.key) }.map { "\($0.key):\($0.value.plainText)" }
        .joined(separator: " ") + "]"
    }
  }
}

extension Double {
  /// Without a fraction where there is none.
  var plainText: String {
    if let whole = Int64(exactly: self) { return String(whole) }
    return "\(self)"
  }

  /// With six digits behind the point.
  var sixDecimals: String {
    guard isFinite, magnitude < 1e12 else { return "\(self)" }
    let scaled = Int64((magnitude * 1e6).rounded())
    let fraction = String(scaled % 1_000_000)
    let padded = String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
    return (self < 0 ? "-" : "") + "\(scaled / 1_000_000).\(padded)"
  }
}
