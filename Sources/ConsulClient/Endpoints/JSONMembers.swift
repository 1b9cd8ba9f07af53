import Model

/// Members of an answer's objects; what is absent or of another type counts as the zero value, as older agents leave
/// members out.
extension Dynamic {
  func text(_ name: String) -> String {
    self[name]?.string ?? ""
  }

  func number(_ name: String) -> UInt64 {
    self[name]?.uint ?? 0
  }

  func integer(_ name: String) -> Int {
    self[name]?.int.flatMap { Int(exactly: $0) } ?? 0
  }

  func flag(_ name: String) -> Bool {
    self[name]?.bool ?? false
  }

  func texts(_ name: String) -> [String] {
    self[name]?.array?.compactMap(\.string) ?? []
  }

  /// An object whose values are texts.
  func textMap(_ name: String) -> [String: String] {
    var map: [String: String] = [:]
    for (key, value) in self[name]?.object ?? DynamicObject() { map[key] = value.string }
    return map
  }

  /// Base64 text as bytes.
  func bytes(_ name: String) -> [UInt8] {
    guard let text = self[name]?.string, case .success(let bytes) = Base64.decode(text) else { return [] }
    return bytes
  }

  /// This value as the body of a request.
  var body: [UInt8] {
    Array(json.utf8)
  }
}

extension APIResponse {
  /// The elements of an answer that is a list; `null` is an empty one.
  func list() throws(ClientError) -> [Dynamic] {
    switch try json() {
    case .array(let elements): return elements
    case .null: return []
    default: throw .malformedResponse("the answer is not a list")
    }
  }

  /// The texts of an answer that is a list of texts.
  func texts() throws(ClientError) -> [String] {
    try list().compactMap(\.string)
  }

  /// Whether an answer is the word `true`.
  var isTrue: Bool {
    text.trimmed == "true"
  }
}
