import Model

extension ServiceIntentions: EntryRules {
  mutating func normalize() {
    for index in sources.indices { sources[index].normalize(destination: name) }
    // The order of sources of the same precedence is the user's.
    sources = sources.enumerated()
      .sorted { ($1.element.precedence, $0.offset) < ($0.element.precedence, $1.offset) }
      .map(\.element)
  }

  func validate() throws(ConfigEntryError) {
    try requireName()
    try require(!name.isPartialWildcard, partialWildcard)
    try checkMeta()
    try require(!sources.isEmpty, "At least one source is required")
    try jwt?.check("JWT")
    var seen: Set<[String]> = []
    for (index, source) in sources.enumerated() {
      let place = "Sources[\(index)]"
      try source.check(place, hasWildcardDestination: name == "*")
      let who = source.peer.isEmpty ? "" : "peer(\(source.peer.goQuoted)) "
      try require(
        seen.insert([source.peer, source.name]).inserted,
        "\(place) defines \(who)\(source.name.goQuoted) more than once")
    }
  }
}

private let partialWildcard = "Name: wildcard character '*' cannot be used with partial values"

extension String {
  fileprivate var isPartialWildcard: Bool { self != "*" && utf8.contains(UInt8(ascii: "*")) }
}

extension SourceIntention {
  fileprivate mutating func normalize(destination: String) {
    precedence = Self.precedence(source: name, destination: destination)
    if type.isEmpty { type = "consul" }
    for index in permissions.indices {
      guard let methods = permissions[index].http?.methods else { continue }
      permissions[index].http?.methods = methods.map { $0.uppercased() }
    }
  }

  fileprivate func check(_ place: String, hasWildcardDestination: Bool) throws(ConfigEntryError) {
    try require(!name.isEmpty, "\(place).Name is required")
    try require(!name.isPartialWildcard, "\(place).\(partialWildcard)")
    try require(samenessGroup.isEmpty, "\(place).SamenessGroup: sameness-groups are an enterprise-only feature")
    try require(
      !peer.utf8.contains(UInt8(ascii: "*")), "\(place).Peer: cannot use wildcard '*' in peer name")
    try require(description.utf8.count <= 512, "\(place).Description exceeds maximum length 512")
    try require(type == "consul", "\(place).Type must be set to 'consul'")
    if permissions.isEmpty {
      try require(isAction(action), "\(place).Action must be set to 'allow' or 'deny'")
      return
    }
    try require(action.isEmpty, "\(place).Action must be omitted if Permissions are specified")
    try require(
      !hasWildcardDestination, "\(place).Permissions cannot be specified on intentions with wildcarded destinations")
    for (index, permission) in permissions.enumerated() { try permission.check("\(place).Permissions[\(index)]") }
  }
}

private func isAction(_ text: String) -> Bool { text == "allow" || text == "deny" }

extension IntentionPermission {
  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    try require(isAction(action), "\(place).Action must be set to 'allow' or 'deny'")
    guard let http else { throw ConfigEntryError("\(place).HTTP is required") }
    try http.check("\(place).HTTP")
    try jwt?.check("\(place).JWT")
  }
}

extension IntentionHTTPPermission {
  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    try checkPath(exact: pathExact, prefix: pathPrefix, regex: pathRegex, place, separator: ".")
    for (index, header) in header.enumerated() { try header.check("\(place).Header[\(index)]") }
    try checkMethods(methods, "\(place).Methods")
    try require(!isEmptyValue, "\(place) should not be empty")
  }
}

extension IntentionHTTPHeaderPermission {
  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    try require(!name.isEmpty, "\(place) missing required Name field")
    let ways = [exact, prefix, suffix, contains, regex].count { !$0.isEmpty }
    try require(
      ways + (present ? 1 : 0) == 1,
      "\(place) should only contain one of Present, Exact, Prefix, Suffix, Contains, or Regex")
    try require(
      !ignoreCase || (!present && regex.isEmpty),
      "\(place) should set one of Exact, Prefix, Suffix, or Contains when using IgnoreCase")
  }
}

extension IntentionJWTRequirement {
  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    for (index, provider) in providers.enumerated() {
      try require(!provider.name.isEmpty, "\(place).Providers[\(index)].Name is required")
    }
  }
}
