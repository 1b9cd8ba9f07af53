import Model

/// Why a flag's value was refused.
enum FlagValueError: Error, Equatable {
  case syntax
  case range
  /// A text of the flag's own.
  case message(String)

  var text: String {
    switch self {
    case .syntax: "parse error"
    case .range: "value out of range"
    case .message(let text): text
    }
  }
}

/// One flag of a command: its name, what its value looks like and means, and how the value is read.
struct Flag<Value: Sendable>: Sendable {
  let name: String
  /// What stands for the value in help (`-name=<value>`); nil for a switch, which needs none.
  let placeholder: String?
  let help: String
  let defaultValue: Value
  /// How the default is shown in the list of flags; nil for one that goes without saying.
  let shownDefault: String?
  /// Takes one occurrence of the flag into the value so far.
  let take: @Sendable (String, inout Value) throws(FlagValueError) -> Void
}

extension Flag where Value == Bool {
  /// A switch: `-name`, `-name=false`.
  static func bool(_ name: String, default defaultValue: Bool = false, _ help: String) -> Flag {
    Flag(
      name: name, placeholder: nil, help: help, defaultValue: defaultValue,
      shownDefault: defaultValue ? "true" : nil
    ) { text, value throws(FlagValueError) in
      guard let parsed = parseBoolean(text) else { throw .syntax }
      value = parsed
    }
  }
}

extension Flag where Value == String {
  static func string(
    _ name: String, placeholder: String = "string", default defaultValue: String = "", _ help: String
  ) -> Flag {
    Flag(
      name: name, placeholder: placeholder, help: help, defaultValue: defaultValue,
      shownDefault: defaultValue.isEmpty ? nil : "\"\(defaultValue)\""
    ) { text, value throws(FlagValueError) in value = text }
  }
}

extension Flag where Value == String? {
  /// A text whose absence differs from an empty one.
  static func optional(_ name: String, placeholder: String = "value", _ help: String) -> Flag {
    Flag(name: name, placeholder: placeholder, help: help, defaultValue: nil, shownDefault: nil) {
      text, value throws(FlagValueError) in value = text
    }
  }
}

extension Flag where Value == UInt64 {
  static func uint(_ name: String, _ help: String) -> Flag {
    Flag(name: name, placeholder: "uint", help: help, defaultValue: 0, shownDefault: nil) {
      text, value throws(FlagValueError) in
      value = try parseInteger(text)
    }
  }
}

extension Flag where Value == Int {
  static func int(_ name: String, default defaultValue: Int = 0, _ help: String) -> Flag {
    Flag(
      name: name, placeholder: "int", help: help, defaultValue: defaultValue,
      shownDefault: defaultValue == 0 ? nil : String(defaultValue)
    ) { text, value throws(FlagValueError) in
      value = try parseInteger(text)
    }
  }
}

extension Flag where Value == GoDuration {
  static func duration(_ name: String, default defaultValue: GoDuration = .zero, _ help: String) -> Flag {
    Flag(
      name: name, placeholder: "duration", help: help, defaultValue: defaultValue,
      shownDefault: defaultValue == .zero ? nil : defaultValue.description
    ) {
      text, value throws(FlagValueError) in
      guard let parsed = GoDuration(text) else { throw .syntax }
      value = parsed
    }
  }
}

extension Flag where Value == [String] {
  /// May be given several times.
  static func strings(_ name: String, placeholder: String = "value", _ help: String) -> Flag {
    Flag(name: name, placeholder: placeholder, help: help, defaultValue: [], shownDefault: nil) {
      text, value throws(FlagValueError) in value.append(text)
    }
  }
}

extension Flag where Value == [String: String] {
  /// `key=value`, may be given several times; a later one wins.
  static func map(_ name: String, placeholder: String = "key=value", _ help: String) -> Flag {
    Flag(name: name, placeholder: placeholder, help: help, defaultValue: [:], shownDefault: nil) {
      text, value throws(FlagValueError) in
      guard let equals = text.firstIndex(of: "=") else {
        throw .message("No '=' value in argument: \(text)")
      }
      value[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
  }
}

/// What the reference accepts as a boolean, in flags as in environment variables.
func parseBoolean(_ text: String) -> Bool? {
  switch text {
  case "1", "t", "T", "TRUE", "true", "True": true
  case "0", "f", "F", "FALSE", "false", "False": false
  default: nil
  }
}

/// An integer in the notations of the reference's flags: decimal, `0x`, `0o` or a leading zero, `0b`, with `_` between
/// digits.
func parseInteger<Number: FixedWidthInteger>(_ text: String) throws(FlagValueError) -> Number {
  var digits = Substring(text)
  var negative = false
  if let sign = digits.first, sign == "-" || sign == "+" {
    guard Number.isSigned else { throw .syntax }
    negative = sign == "-"
    digits = digits.dropFirst()
  }
  var radix = 10
  if digits.first == "0" && digits.count > 1 {
    let body = digits.dropFirst()
    switch body.first {
    case "x", "X": (radix, digits) = (16, body.dropFirst())
    case "b", "B": (radix, digits) = (2, body.dropFirst())
    case "o", "O": (radix, digits) = (8, body.dropFirst())
    default: (radix, digits) = (8, body)
    }
  }
  if digits.first != "_" && digits.last != "_" { digits.removeAll { $0 == "_" } }
  guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && Int(String($0), radix: radix) != nil }) else {
    throw .syntax
  }
  guard let number = Number((negative ? "-" : "") + digits, radix: radix) else { throw .range }
  return number
}
