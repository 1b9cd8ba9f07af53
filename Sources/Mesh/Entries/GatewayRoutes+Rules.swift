import Model

extension HTTPRoute: EntryRules {
  mutating func normalize() {
    parents.normalizeParents()
    for rule in rules.indices {
      for match in rules[rule].matches.indices { rules[rule].matches[match].normalize() }
      for service in rules[rule].services.indices where rules[rule].services[service].weight <= 0 {
        rules[rule].services[service].weight = 1
      }
    }
  }

  func validate() throws(ConfigEntryError) {
    try checkMeta()
    try checkParents(parents)
    for host in hostnames {
      try require(host.isDomainName, "host \(host.goQuoted) must be a valid DNS hostname")
      try require(!host.utf8.contains(UInt8(ascii: "*")), "host \(host.goQuoted) must not be a wildcard")
    }
    for (rule, content) in rules.enumerated() {
      for (index, match) in content.matches.enumerated() { try match.check("Rule[\(rule)], Match[\(index)]") }
    }
    try requireServiceName()
  }
}

extension TCPRoute: EntryRules {
  mutating func normalize() { parents.normalizeParents() }

  func validate() throws(ConfigEntryError) {
    try checkMeta()
    try checkParents(parents)
    try require(services.count <= 1, "tcp-route currently only supports one service")
    try requireServiceName()
  }
}

extension [ResourceReference] {
  fileprivate mutating func normalizeParents() {
    for index in indices where self[index].kind.isEmpty { self[index].kind = ConfigEntryKind.apiGateway.rawValue }
  }
}

private func checkParents(_ parents: [ResourceReference]) throws(ConfigEntryError) {
  var seen: Set<[String]> = []
  for parent in parents {
    try require(
      parent.kind == ConfigEntryKind.apiGateway.rawValue,
      "unsupported parent kind: \(parent.kind.goQuoted), must be 'api-gateway'")
    try require(seen.insert([parent.name, parent.sectionName]).inserted, "route parents must be unique")
  }
}

extension HTTPMatch {
  fileprivate mutating func normalize() {
    method = method.uppercased()
    if path.match.isEmpty {
      path.match = "prefix"
      if path.value.isEmpty { path.value = "/" }
    }
  }

  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    try require(
      method.isEmpty || httpMethods.contains(method), "\(place), Method contains an invalid method \(method.goQuoted)")
    switch path.match {
    case "exact", "prefix":
      try require(
        path.value.utf8.first == UInt8(ascii: "/"),
        "\(place), Path, \(path.match) type match doesn't start with '/': \(path.value.goQuoted)")
    case "regex": break
    default: throw ConfigEntryError("\(place), Path, match type should be one of exact, prefix, or regex")
    }
    for (index, header) in headers.enumerated() {
      try require(!header.name.isEmpty, "\(place), Headers[\(index)], missing required Name field")
      try require(
        ["present", "exact", "prefix", "suffix", "regex"].contains(header.match),
        "\(place), Headers[\(index)], match type should be one of present, exact, prefix, suffix, or regex")
    }
    for (index, parameter) in query.enumerated() {
      try require(!parameter.name.isEmpty, "\(place), Query[\(index)], missing required Name field")
      try require(
        ["present", "exact", "regex"].contains(parameter.match),
        "\(place), Query[\(index)], match type should be one of present, exact, or regex")
    }
  }
}
