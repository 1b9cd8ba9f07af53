/// A flag without its value's type, so that flags of all types stand in one list.
struct AnyFlag: Sendable {
  let name: String
  let placeholder: String?
  let help: String
  let shownDefault: String?
  let take: @Sendable (String, inout FlagValues) throws(FlagValueError) -> Void

  init(
    name: String, placeholder: String?, help: String,
    take: @escaping @Sendable (String, inout FlagValues) throws(FlagValueError) -> Void
  ) {
    self.name = name
    self.placeholder = placeholder
    self.help = help
    self.take = take
    shownDefault = nil
  }

  init<Value>(_ flag: Flag<Value>) {
    name = flag.name
    placeholder = flag.placeholder
    help = flag.help
    shownDefault = flag.shownDefault
    take = { text, values throws(FlagValueError) in
      var value = values[flag]
      try flag.take(text, &value)
      values[flag] = value
    }
  }

  var isSwitch: Bool { placeholder == nil }
}

extension Flag {
  /// The flag as an element of a command's list.
  var any: AnyFlag { AnyFlag(self) }
}

/// The values that were given on the command line.
struct FlagValues: Sendable {
  private var given: [String: any Sendable] = [:]

  subscript<Value>(flag: Flag<Value>) -> Value {
    get { given[flag.name] as? Value ?? flag.defaultValue }
    set { given[flag.name] = newValue }
  }

  /// Whether the flag was given, with whatever value.
  func has<Value>(_ flag: Flag<Value>) -> Bool {
    given[flag.name] != nil
  }
}

enum FlagError: Error, Equatable {
  /// `-h` or `-help`, where it is no flag of the command.
  case helpRequested
  case malformed(String)
  case unknown(String)
  case missingValue(String)
  case badValue(flag: AnyFlagName, value: String, reason: FlagValueError)

  struct AnyFlagName: Equatable {
    let name: String
    let isSwitch: Bool
  }

  var text: String {
    switch self {
    case .helpRequested: "help requested"
    case .malformed(let word): "bad flag syntax: \(word)"
    case .unknown(let name): "flag provided but not defined: -\(name)"
    case .missingValue(let name): "flag needs an argument: -\(name)"
    case .badValue(let flag, let value, let reason):
      flag.isSwitch
        ? "invalid boolean value \"\(value)\" for -\(flag.name): \(reason.text)"
        : "invalid value \"\(value)\" for flag -\(flag.name): \(reason.text)"
    }
  }
}

/// Reads the flags at the start of a command's words.
///
/// The first word that is not a flag ends them, as `--` does, which is dropped; all that follows are arguments.
enum FlagParser {
  static func parse(_ words: [String], flags: [AnyFlag]) throws(FlagError) -> (FlagValues, arguments: [String]) {
    var byName: [String: AnyFlag] = [:]
    for flag in flags { byName[flag.name] = flag }
    var values = FlagValues()
    var rest = words[...]
    while let word = rest.first, word.utf8.count >= 2, word.hasPrefix("-") {
      rest = rest.dropFirst()
      if word == "--" { break }
      let body = word.drop { $0 == "-" }
      guard word.utf8.count - body.utf8.count <= 2, let initial = body.first, initial != "=" else {
        throw .malformed(word)
      }
      let equals = body.firstIndex(of: "=")
      let name = String(body[..<(equals ?? body.endIndex)])
      var value = equals.map { String(body[body.index(after: $0)...]) }
      guard let flag = byName[name] else {
        throw name == "h" || name == "help" ? .helpRequested : .unknown(name)
      }
      if value == nil && !flag.isSwitch {
        guard let next = rest.popFirst() else { throw .missingValue(name) }
        value = next
      }
      do {
        try flag.take(value ?? "true", &values)
      } catch {
        throw .badValue(flag: .init(name: name, isSwitch: flag.isSwitch), value: value ?? "true", reason: error)
      }
    }
    return (values, Array(rest))
  }
}
