/// The parameters behind the `?` of a request, in their order.
struct QueryParameters: Sendable, Equatable {
  private(set) var pairs: [(name: String, value: String)] = []

  init() {}

  /// Nil for text that is no query: a bad escape, or a semicolon, which once separated parameters and now would be
  /// understood differently by different programs.
  init?(_ bytes: UnsafeRawBufferPointer) {
    for part in bytes.split(separator: UInt8(ascii: "&")) {
      if part.contains(UInt8(ascii: ";")) { return nil }
      let mark = part.firstIndex(of: UInt8(ascii: "="))
      let name = UnsafeRawBufferPointer(rebasing: part[..<(mark ?? part.endIndex)])
      let value = mark.map { UnsafeRawBufferPointer(rebasing: part[($0 + 1)...]) }
      guard let name = PercentEncoding.decode(name, plusIsSpace: true),
        let value = value.map({ PercentEncoding.decode($0, plusIsSpace: true) }) ?? ""
      else { return nil }
      pairs.append((name, value))
    }
  }

  var isEmpty: Bool { pairs.isEmpty }

  /// The first value of that name.
  subscript(name: String) -> String? {
    for pair in pairs where pair.name == name { return pair.value }
    return nil
  }

  /// Whether the parameter is there, whatever its value.
  func has(_ name: String) -> Bool { pairs.contains { $0.name == name } }

  func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

  static func == (a: QueryParameters, b: QueryParameters) -> Bool {
    a.pairs.elementsEqual(b.pairs) { $0 == $1 }
  }
}
