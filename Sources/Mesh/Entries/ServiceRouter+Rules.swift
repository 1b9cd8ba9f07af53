import Model

extension ServiceRouter: EntryRules {
  mutating func normalize() {
    for index in routes.indices {
      guard let methods = routes[index].match?.http?.methods else { continue }
      routes[index].match?.http?.methods = methods.map { $0.uppercased() }
    }
  }

  func validate() throws(ConfigEntryError) {
    try requireName()
    try checkMeta()
    for (index, route) in routes.enumerated() { try route.check("Route[\(index)]") }
  }
}

extension ServiceRoute {
  /// Reasons to try again (Consul documentation, "Service router configuration entry").
  fileprivate static let retryConditions: Set<String> = [
    "5xx", "gateway-error", "reset", "connect-failure", "envoy-ratelimited", "retriable-4xx",
    "refused-stream", "cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable",
  ]

  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    let http = match?.http
    try http?.check(place)
    guard let destination else { return }
    let canRewrite = http.map { !$0.pathExact.isEmpty || !$0.pathPrefix.isEmpty } ?? false
    try require(
      destination.prefixRewrite.isEmpty || canRewrite,
      "\(place) cannot make use of PrefixRewrite without configuring either PathExact or PathPrefix")
    for condition in destination.retryOn {
      try require(
        Self.retryConditions.contains(condition), "\(place) contains an invalid retry condition: \(condition.goQuoted)")
    }
  }
}

extension ServiceRouteHTTPMatch {
  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    try checkPath(exact: pathExact, prefix: pathPrefix, regex: pathRegex, place, separator: " ")
    for (index, header) in header.enumerated() {
      try require(!header.name.isEmpty, "\(place) Header[\(index)] missing required Name field")
      let ways = [header.exact, header.prefix, header.suffix, header.regex].count { !$0.isEmpty }
      try require(
        ways + (header.present ? 1 : 0) == 1,
        "\(place) Header[\(index)] should only contain one of Present, Exact, Prefix, Suffix, or Regex")
    }
    for (index, parameter) in queryParam.enumerated() {
      try require(!parameter.name.isEmpty, "\(place) QueryParam[\(index)] missing required Name field")
      let ways = [parameter.exact, parameter.regex].count { !$0.isEmpty }
      try require(
        ways + (parameter.present ? 1 : 0) == 1,
        "\(place) QueryParam[\(index)] should only contain one of Present, Exact, or Regex")
    }
    try checkMethods(methods, "\(place) Methods")
  }
}

/// The three ways to say which paths are meant, as routers and intentions have them.
///
/// - Parameter separator: stands between the place and the name of a field.
func checkPath(
  exact: String, prefix: String, regex: String, _ place: String, separator: String
) throws(ConfigEntryError) {
  for (name, path) in [("PathExact", exact), ("PathPrefix", prefix)] where !path.isEmpty {
    try require(
      path.utf8.first == UInt8(ascii: "/"), "\(place)\(separator)\(name) doesn't start with '/': \(path.goQuoted)")
  }
  try require(
    [exact, prefix, regex].count { !$0.isEmpty } < 2,
    "\(place) should only contain at most one of PathExact, PathPrefix, or PathRegex")
}
