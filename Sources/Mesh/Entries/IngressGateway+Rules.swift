import Model

extension IngressGateway: EntryRules {
  mutating func normalize() {
    for index in listeners.indices {
      let text = listeners[index].protocol.lowercased()
      listeners[index].protocol = text.isEmpty ? "tcp" : text
    }
  }

  func validate() throws(ConfigEntryError) {
    try checkMeta()
    try TLSRules.check(minimum: tls.tlsMinVersion, maximum: tls.tlsMaxVersion, suites: tls.cipherSuites)
    var ports: Set<Int> = []
    for listener in listeners {
      try require(ports.insert(listener.port).inserted, "port \(listener.port) declared on two listeners")
      try listener.check(gateway: tls)
    }
    // The reference finds out when it stores the entry.
    try require(!name.isEmpty, "failed inserting config entry: object missing primary index")
  }
}

extension IngressListener {
  fileprivate func check(gateway: GatewayTLSConfig) throws(ConfigEntryError) {
    let place = "(listener on port \(port))"
    try require(
      ["tcp", "http", "http2", "grpc"].contains(`protocol`),
      "protocol must be 'tcp', 'http', 'http2', or 'grpc'. '\(`protocol`)' is an unsupported protocol")
    if let tls {
      try TLSRules.check(minimum: tls.tlsMinVersion, maximum: tls.tlsMaxVersion, suites: tls.cipherSuites)
      try tls.sds?.check(gateway: gateway, "listener \(place)")
    }
    try require(!services.isEmpty, "No service declared for listener with port \(port)")
    try require(
      `protocol` != "tcp" || services.count == 1,
      "Multiple services per listener are only supported for L7 protocols, 'http', 'grpc' and 'http2' \(place)")
    var names: Set<String> = []
    var hosts: Set<String> = []
    let hasTLS = gateway.enabled || tls?.enabled == true
    for service in services {
      try service.check(listener: `protocol`, place)
      try require(
        names.insert(service.name).inserted, "Service \(service.name) cannot be added multiple times \(place)")
      try service.tls?.sds?.check(gateway: gateway, "service \(service.name.goQuoted) on listener on port \(port)")
      try require(
        service.tls?.sds?.certResource.isEmpty != false || !service.hosts.isEmpty,
        "A service specifying TLS.SDS.CertResource must have at least one item in Hosts "
          + "(service \(service.name.goQuoted) on listener on port \(port))")
      for host in service.hosts {
        try require(hosts.insert(host).inserted, "Hosts must be unique within a specific listener \(place)")
        try require(
          host != "*" || !hasTLS,
          "Host '*' is not allowed when TLS is enabled, all hosts must be valid DNS records to add as a DNSSAN")
        try require(host.isDomainName, "Host \(host.goQuoted) must be a valid DNS hostname")
        try require(
          host == "*" || host.hasOnlyLeadingWildcard,
          "Host \(host.goQuoted) is not valid, a wildcard specifier is only allowed as the leftmost label")
      }
    }
  }
}

extension IngressService {
  fileprivate func check(listener: String, _ place: String) throws(ConfigEntryError) {
    try require(!name.isEmpty, "Service name cannot be blank \(place)")
    try require(
      name != "*" || listener != "tcp", "Wildcard service name is only valid for protocol = 'http' \(place)")
    try require(
      hosts.isEmpty || listener != "tcp",
      "Associating hosts to a service is not supported for the tcp protocol \(place)")
    try require(hosts.isEmpty || name != "*", "Associating hosts to a wildcard service is not supported \(place)")
  }
}

extension GatewayTLSSDSConfig {
  /// A part that is missing here may be said of the whole gateway, but for the certificate.
  fileprivate func check(gateway: GatewayTLSConfig, _ place: String) throws(ConfigEntryError) {
    try require(
      clusterName.isEmpty || !certResource.isEmpty,
      "TLS.SDS.CertResource is required if ClusterName is set for \(place)")
    try require(
      certResource.isEmpty || !clusterName.isEmpty || gateway.sds?.clusterName.isEmpty == false,
      "TLS.SDS.ClusterName is required if CertResource is set for \(place)")
  }
}

extension String {
  /// Whether labels and name have lengths that DNS can carry (RFC 1035, section 2.3.4); characters are free.
  var isDomainName: Bool {
    let labels = (hasSuffix(".") ? dropLast() : self[...]).split(separator: ".", omittingEmptySubsequences: false)
    return utf8.count <= 254 && labels.allSatisfy { (1...63).contains($0.utf8.count) }
  }

  /// Whether the name of a host has no `*` but as its whole first label.
  var hasOnlyLeadingWildcard: Bool {
    let rest = hasPrefix("*.") ? dropFirst(2) : self[...]
    return !rest.utf8.contains(UInt8(ascii: "*"))
  }
}
