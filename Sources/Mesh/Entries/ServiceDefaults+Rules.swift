import Model

extension ServiceDefaults: EntryRules {
  mutating func normalize() {
    `protocol` = `protocol`.lowercased()
    guard var upstreams = upstreamConfig else { return }
    for index in upstreams.overrides.indices { upstreams.overrides[index].normalize() }
    upstreams.defaults?.normalize()
    upstreamConfig = upstreams
  }

  func validate() throws(ConfigEntryError) {
    try requireName()
    try require(name != "*", "service-defaults name must be the name of a service, and not a wildcard")
    try checkMeta()
    try checkMutualTLSMode(mutualTLSMode)
    var complaints: [String] = []
    if !["", "tcp", "http", "http2", "grpc"].contains(`protocol`) {
      complaints.append("invalid value for protocol: \(`protocol`)")
    }
    if !balanceModes.contains(balanceInboundConnections) {
      complaints.append("invalid value for balance_inbound_connections: \(balanceInboundConnections)")
    }
    complaints += upstreamConfig?.complaints ?? []
    complaints += destination?.complaints ?? []
    if upstreamConfig != nil, destination != nil {
      complaints.append("UpstreamConfig and Destination are mutually exclusive for service defaults")
    }
    complaints += EnvoyExtensionRules.complaints(envoyExtensions)
    if rateLimits != nil {
      complaints.append("invalid rate_limits config. Rate limiting is a consul enterprise feature")
    }
    if !complaints.isEmpty { throw ConfigEntryError(list: complaints) }
  }
}

/// How connections are spread over Envoy's threads.
private let balanceModes: Set<String> = ["", "exact_balance"]

func checkMutualTLSMode(_ mode: String) throws(ConfigEntryError) {
  try require(
    ["", "strict", "permissive"].contains(mode),
    "Invalid MutualTLSMode \(mode.goQuoted). Must be one of \"\", \"strict\", or \"permissive\".")
}

extension UpstreamConfiguration {
  fileprivate var complaints: [String] {
    var complaints: [String] = []
    for upstream in overrides {
      let place = "error in upstream override for \(upstream.name):\(upstream.peer): "
      if upstream.name.isEmpty {
        complaints.append(place + "Name is required")
      } else if upstream.name == "*" {
        complaints.append(place + "Wildcard name is not supported")
      } else if !upstream.complaints.isEmpty {
        complaints.append(place + ConfigEntryError.list(upstream.complaints))
      }
    }
    if let defaults {
      let place = "error in upstream defaults: "
      if !defaults.name.isEmpty {
        complaints.append(place + "Name must be empty")
      } else if !defaults.complaints.isEmpty {
        complaints.append(place + ConfigEntryError.list(defaults.complaints))
      }
    }
    return complaints
  }
}

extension UpstreamConfig {
  fileprivate mutating func normalize() {
    `protocol` = `protocol`.lowercased()
    connectTimeoutMs = max(connectTimeoutMs, 0)
  }

  fileprivate var complaints: [String] {
    var complaints = passiveHealthCheck?.complaints ?? []
    complaints += limits?.complaints ?? []
    if !balanceModes.contains(balanceOutboundConnections) {
      complaints.append("invalid value for balance_outbound_connections: \(balanceOutboundConnections)")
    }
    return complaints
  }
}

extension UpstreamLimits {
  fileprivate var complaints: [String] {
    var complaints: [String] = []
    if let maxConnections, maxConnections < 0 { complaints.append("max connections cannot be negative") }
    if let maxPendingRequests, maxPendingRequests < 0 { complaints.append("max pending requests cannot be negative") }
    if let maxConcurrentRequests, maxConcurrentRequests < 0 {
      complaints.append("max concurrent requests cannot be negative")
    }
    return complaints
  }
}

extension PassiveHealthCheck {
  fileprivate var complaints: [String] {
    var complaints: [String] = []
    if interval < .zero { complaints.append("passive health check interval cannot be negative") }
    if let enforcingConsecutive5xx, enforcingConsecutive5xx > 100 {
      complaints.append("passive health check enforcing_consecutive_5xx must be a percentage between 0 and 100")
    }
    if let maxEjectionPercent, maxEjectionPercent > 100 {
      complaints.append("passive health check max_ejection_percent must be a percentage between 0 and 100")
    }
    if let baseEjectionTime, baseEjectionTime < .zero {
      complaints.append("passive health check base_ejection_time cannot be negative")
    }
    return complaints
  }
}

extension DestinationConfig {
  fileprivate var complaints: [String] {
    var complaints: [String] = []
    if addresses.isEmpty { complaints.append("Destination must contain at least one valid address") }
    var seen: Set<String> = []
    for address in addresses {
      if !seen.insert(address).inserted { complaints.append("Duplicate address '\(address)' is not allowed") }
      if IPAddress(address) == nil, !address.isHostname {
        complaints.append(
          "Destination address '\(address)' is invalid Could not validate address \(address) as an IP or Hostname")
      }
    }
    if !(1...65535).contains(port) { complaints.append("Invalid Port number \(port)") }
    return complaints
  }
}

extension String {
  /// Whether this is a name of a host: labels of letters, digits and inner hyphens (RFC 1123, section 2.1).
  var isHostname: Bool {
    guard (1...253).contains(utf8.count) else { return false }
    return split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.utf8.first, let last = label.utf8.last, label.utf8.count <= 63 else { return false }
      return first.isAlphanumeric && last.isAlphanumeric
        && label.utf8.allSatisfy { $0.isAlphanumeric || $0 == UInt8(ascii: "-") }
    }
  }
}

extension UInt8 {
  var isAlphanumeric: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
