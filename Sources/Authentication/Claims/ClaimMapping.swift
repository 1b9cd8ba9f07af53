import Model

/// Which claims become attributes of an identity, and under which names. A claim is named as it stands in the token or, with a
/// leading slash, by its place in it (a JSON pointer, RFC 6901).
struct ClaimMapping: Sendable {
  /// From claims to attributes: `value.NAME`.
  var values: StringMap
  /// The same for lists: `list.NAME`.
  var lists: StringMap

  /// - Throws: `AuthenticationError.setting` where two claims would become one attribute.
  init(values: StringMap, lists: StringMap) throws(AuthenticationError) {
    for (name, mapping) in [("ClaimMappings", values), ("ListClaimMappings", lists)] {
      var seen: Set<String> = []
      for entry in mapping where !seen.insert(entry.value).inserted {
        throw .setting("\(name) contains multiple mappings for key \(entry.value.goQuoted)")
      }
    }
    self.values = values
    self.lists = lists
  }

  /// The attributes that the claims give. One that the token does not have is "" or empty.
  ///
  /// - Throws: `AuthenticationError.claim` for claims that are no text, number or boolean.
  func attributes(of claims: Claims) throws(AuthenticationError) -> ClaimAttributes {
    var attributes = ClaimAttributes()
    for entry in values {
      let found = Self.claim(entry.key, in: claims.members)
      attributes.values[entry.value] =
        try found.map { (value) throws(AuthenticationError) in
          guard let text = value.claimText else {
            throw .claim("error converting claim '\(entry.key)' to string from unknown type \(value.goTypeName)")
          }
          return text
        } ?? ""
    }
    for entry in lists {
      let found = Self.claim(entry.key, in: claims.members)
      attributes.lists[entry.value] =
        try found.map { (value) throws(AuthenticationError) in
          let elements = value.array ?? [value]
          let texts = elements.compactMap(\.claimText)
          guard texts.count == elements.count else {
            throw .claim("\(entry.key.goQuoted) list claim could not be converted to string list")
          }
          return texts
        } ?? []
    }
    return attributes
  }

  /// Nil for a claim that is not there.
  static func claim(_ name: String, in members: DynamicObject) -> Dynamic? {
    guard name.hasPrefix("/") else { return members[name]?.nonNull }
    var value = Dynamic.object(members)
    for part in name.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      let key = String(part.replacing("~1", with: "/").replacing("~0", with: "~"))
      switch value {
      case .object(let members):
        guard let next = members[key] else { return nil }
        value = next
      case .array(let elements):
        guard let index = Int(key), elements.indices.contains(index) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value.nonNull
  }
}

extension Dynamic {
  fileprivate var nonNull: Dynamic? { if case .null = self { nil } else { self } }

  /// Scalars as text, as they are written in JSON.
  var claimText: String? {
    switch self {
    case .string(let text): text
    case .bool(let flag): flag ? "true" : "false"
    case .int, .uint, .double: json
    case .null, .array, .object: nil
    }
  }

  var goTypeName: String {
    switch self {
    case .null: "<nil>"
    case .bool: "bool"
    case .int, .uint, .double: "json.Number"
    case .string: "string"
    case .array: "[]interface {}"
    case .object: "map[string]interface {}"
    }
  }
}
