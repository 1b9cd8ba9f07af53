import Model

extension APIGateway: EntryRules {
  mutating func normalize() {
    for index in listeners.indices {
      listeners[index].protocol = listeners[index].protocol.lowercased()
      for certificate in listeners[index].tls.certificates.indices
      where listeners[index].tls.certificates[certificate].kind.isEmpty {
        listeners[index].tls.certificates[certificate].kind = ConfigEntryKind.inlineCertificate.rawValue
      }
    }
  }

  func validate() throws(ConfigEntryError) {
    try checkMeta()
    try require(!listeners.isEmpty, "api gateway must have at least one listener")
    try checkNames()
    try checkPorts()
    for listener in listeners { try listener.check() }
    try requireServiceName()
  }

  private func checkNames() throws(ConfigEntryError) {
    var names: Set<String> = []
    for listener in listeners {
      try require(
        !listener.name.isEmpty && listener.name.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") },
        "listener name \(listener.name.goQuoted) is invalid, must be at least 1 character and contain only letters, "
          + "numbers, or dashes")
      try require(
        names.insert(listener.name).inserted, "found multiple listeners with the name \(listener.name.goQuoted)")
    }
  }

  /// Listeners share a port if they are one to the proxy.
  private func checkPorts() throws(ConfigEntryError) {
    var byPort: [Int: APIGatewayListener] = [:]
    for listener in listeners {
      if let other = byPort[listener.port] {
        try require(
          other.protocol == listener.protocol && other.hostname == listener.hostname,
          "listeners \(other.name.goQuoted) and \(listener.name.goQuoted) cannot be merged")
      }
      byPort[listener.port] = listener
    }
  }
}

extension APIGatewayListener {
  fileprivate func check() throws(ConfigEntryError) {
    try require(
      ["tcp", "http"].contains(`protocol`),
      "unsupported listener protocol \(`protocol`.goQuoted), must be one of 'tcp', or 'http'")
    try require(
      hostname.isEmpty || `protocol` != "tcp", "hostname specification is not supported when using TCP")
    try require((1...65535).contains(port), "listener port \(port) not in the range 1-65535")
    try require(hostname.isEmpty || hostname.isDomainName, "host \(hostname.goQuoted) must be a valid DNS hostname")
    try require(
      hostname == "*" || hostname.hasOnlyLeadingWildcard,
      "host \(hostname.goQuoted) is not valid, a wildcard specifier is only allowed as the left-most label")
    for certificate in tls.certificates {
      let kinds = [ConfigEntryKind.inlineCertificate, .fileSystemCertificate].map(\.rawValue)
      try require(
        kinds.contains(certificate.kind),
        "unsupported certificate kind: \(certificate.kind.goQuoted), "
          + "must be 'file-system-certificate' or 'inline-certificate'")
      try require(!certificate.name.isEmpty, "certificate reference must have a name")
    }
    try TLSRules.check(minimum: tls.minVersion, maximum: tls.maxVersion, suites: tls.cipherSuites)
  }
}

/// Made by the servers themselves.
extension BoundAPIGateway: EntryRules {
  func validate() throws(ConfigEntryError) { try requireServiceName() }
}

extension FileSystemCertificate: EntryRules {
  func validate() throws(ConfigEntryError) {
    try checkMeta()
    try requireServiceName()
  }
}
