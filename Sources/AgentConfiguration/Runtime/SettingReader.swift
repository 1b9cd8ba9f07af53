import Model

/// Reads merged values into the types of `RuntimeConfiguration` and collects what does not make sense.
struct SettingReader {
  let values: SettingValues
  private let template: AddressTemplate
  /// One message for each bad value, with its path.
  private(set) var problems: [String] = []

  init(_ values: SettingValues, interfaces: [NetworkInterface]) {
    self.values = values
    template = AddressTemplate(interfaces: interfaces)
  }

  mutating func problem(_ message: String) { problems.append(message) }

  // MARK: Scalars

  func bool(_ path: String) -> Bool { values.bool(path) }
  func int(_ path: String) -> Int { values.int(path) }
  func double(_ path: String) -> Double { values.double(path) }
  func string(_ path: String) -> String { values.string(path) }
  func strings(_ path: String) -> [String] { values.strings(path) }
  func stringMap(_ path: String) -> [String: String] { values.stringMap(path) }

  mutating func duration(_ path: String) -> GoDuration { duration(values.string(path), named: path) }

  mutating func duration(_ text: String, named path: String) -> GoDuration {
    if text.isEmpty { return .zero }
    if let duration = GoDuration(text) { return duration }
    problem("\(path): invalid duration: \"\(text)\": \(GoDuration.reason(text))")
    return .zero
  }

  mutating func durationMap(_ path: String) -> [String: GoDuration] {
    var result: [String: GoDuration] = [:]
    for (key, value) in values.object(path) { result[key] = duration(value.string ?? "", named: "\(path)[\"\(key)\"]") }
    return result
  }

  /// A port; every negative number means that the listener is off, -1.
  mutating func port(_ path: String, default defaultPort: Int = -1) -> Int {
    let port = values.optionalInt(path) ?? defaultPort
    if port > 65535 { problem("\(path): invalid port: \(port)") }
    return max(port, -1)
  }

  /// One of a few words.
  mutating func choice<Choice: RawRepresentable & CaseIterable>(_ path: String, as type: Choice.Type) -> Choice?
  where Choice.RawValue == String {
    let text = values.string(path)
    if let choice = Choice(rawValue: text) { return choice }
    let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    problem("\(path): invalid value: \"\(text)\", must be one of: \(known)")
    return nil
  }

  mutating func networks(_ path: String) -> [CIDR] {
    values.strings(path).compactMap { text in
      if let network = CIDR(text) { return network }
      problem("\(path): invalid cidr: \(text)")
      return nil
    }
  }

  // MARK: Addresses

  /// An address or a Unix socket, before it has a port.
  enum Host: Equatable {
    case ip(IPAddress)
    case unix(path: String)

    func with(port: Int) -> ListenAddress {
      switch self {
      case .ip(let address): .ip(address, port: port)
      case .unix(let path): .unix(path: path)
      }
    }
  }

  /// The words of an option after its templates were replaced.
  mutating func words(_ path: String) -> [String] { words(of: values.string(path), named: path) }

  private mutating func words(of text: String, named path: String) -> [String] {
    do {
      return try template.resolve(text).split(whereSeparator: \.isWhitespace).map(String.init)
    } catch {
      problem("\(path): error parsing \"\(text)\": \(error)")
      return []
    }
  }

  /// Several addresses, separated by spaces.
  mutating func hosts(_ path: String) -> [Host] {
    words(path).compactMap { host($0, named: path) }
  }

  private mutating func host(_ word: String, named path: String) -> Host? {
    if word.hasPrefix("unix://") { return .unix(path: String(word.dropFirst("unix://".count))) }
    if let address = IPAddress(word) { return .ip(address) }
    problem("\(path): invalid ip address: \(word)")
    return nil
  }

  /// One IP address, or nil if the option is empty.
  mutating func address(_ path: String) -> IPAddress? {
    let words = words(path)
    guard let first = words.first else { return nil }
    guard words.count == 1 else {
      problem("\(path): multiple addresses found: \(words.joined(separator: " "))")
      return nil
    }
    switch host(first, named: path) {
    case .ip(let address): return address
    case .unix: problem("\(path) cannot be a unix socket")
    case nil: break
    }
    return nil
  }

  /// Texts whose templates are replaced; a template may stand for several. Duplicates are dropped.
  mutating func expandedStrings(_ path: String) -> [String] {
    var seen: Set<String> = []
    var result: [String] = []
    for text in values.strings(path) {
      let parts = text.contains("{{") ? words(of: text, named: path) : [text]
      result += parts.filter { seen.insert($0).inserted }
    }
    return result
  }
}
