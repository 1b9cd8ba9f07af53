import Model

/// Finds out where the agent listens and what it tells others, from options that depend on each other.
enum AddressResolver {
  static func resolve(
    _ reader: inout SettingReader, ports: RuntimeConfiguration.Ports, interfaces: [NetworkInterface]
  ) throws(ConfigurationError) -> RuntimeConfiguration.Addresses {
    let bind = try bindAddress(&reader)
    let advertiseLAN = advertised(&reader, "advertise_addr", ["advertise_addr_ipv4", "advertise_addr_ipv6"])
    let advertiseWAN =
      advertised(&reader, "advertise_addr_wan", ["advertise_addr_wan_ipv4", "advertise_addr_wan_ipv6"])
    let lan: IPAddress
    if let advertiseLAN {
      lan = advertiseLAN
    } else {
      lan = bind.isUnspecified ? try ownAddress(bind, interfaces) : bind
    }
    let wan = advertiseWAN ?? lan
    let clientHosts = reader.hosts("client_addr")
    func listeners(_ path: String, port: Int) -> [ListenAddress] {
      guard port >= 0 else { return [] }
      let own = reader.hosts(path)
      return (own.isEmpty ? clientHosts : own).map { $0.with(port: port) }
    }
    return RuntimeConfiguration.Addresses(
      bind: bind, advertiseLAN: lan, advertiseWAN: wan, serfLANBind: reader.address("serf_lan") ?? bind,
      serfWANBind: reader.address("serf_wan") ?? bind, clients: clientHosts.compactMap(\.ipAddress),
      dns: listeners("addresses.dns", port: ports.dns), http: listeners("addresses.http", port: ports.http),
      https: listeners("addresses.https", port: ports.https), grpc: listeners("addresses.grpc", port: ports.grpc),
      grpcTLS: listeners("addresses.grpc_tls", port: ports.grpcTLS), tagged: tagged(&reader, lan: lan, wan: wan),
      advertiseReconnectTimeout: reader.duration("advertise_reconnect_timeout"),
      serfLANAllowed: reader.networks("serf_lan_allowed_cidrs"),
      serfWANAllowed: reader.networks("serf_wan_allowed_cidrs"))
  }

  private static func bindAddress(_ reader: inout SettingReader) throws(ConfigurationError) -> IPAddress {
    let words = reader.words("bind_addr")
    guard words.count <= 1 else {
      throw .invalid("bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead.")
    }
    guard let word = words.first else { throw .invalid("bind_addr cannot be empty") }
    guard !word.hasPrefix("unix://") else { throw .invalid("bind_addr cannot be a unix socket") }
    guard let address = IPAddress(word) else { throw .invalid("bind_addr cannot be empty") }
    return address
  }

  /// The advertised address; without it, the first of those for one family.
  private static func advertised(
    _ reader: inout SettingReader, _ path: String, _ families: [String]
  ) -> IPAddress? {
    if let address = reader.address(path) { return address }
    for family in families {
      if let address = reader.address(family) { return address }
    }
    return nil
  }

  /// What to advertise when the agent listens on all addresses: the only private IPv4 or public IPv6 address.
  private static func ownAddress(
    _ bind: IPAddress, _ interfaces: [NetworkInterface]
  ) throws(ConfigurationError) -> IPAddress {
    let kind = bind.isIPv4 ? "private IPv4" : "public IPv6"
    let candidates = interfaces.filter { interface in
      let address = interface.address
      guard address.isIPv4 == bind.isIPv4, interface.flags.contains("up") else { return false }
      return interface.flags.contains("forwardable") && address.isSpecialPurpose == bind.isIPv4
    }.map(\.address)
    guard let first = candidates.first else {
      throw .invalid("Error detecting \(kind) address: No \(kind) address found")
    }
    guard candidates.count == 1 else {
      throw .invalid("Multiple \(kind) addresses found. Please configure one with 'bind' and/or 'advertise'.")
    }
    return first
  }

  private static func tagged(_ reader: inout SettingReader, lan: IPAddress, wan: IPAddress) -> [String: String] {
    var tagged = ["lan": lan.description, "wan": wan.description]
    tagged[lan.isIPv4 ? "lan_ipv4" : "lan_ipv6"] = lan.description
    tagged[wan.isIPv4 ? "wan_ipv4" : "wan_ipv6"] = wan.description
    let families = [
      ("lan_ipv4", "advertise_addr_ipv4"), ("lan_ipv6", "advertise_addr_ipv6"),
      ("wan_ipv4", "advertise_addr_wan_ipv4"), ("wan_ipv6", "advertise_addr_wan_ipv6"),
    ]
    for (tag, path) in families {
      guard let address = reader.address(path) else { continue }
      if address.isIPv4 != tag.hasSuffix("ipv4") {
        reader.problem("\(path): invalid address family: \(address)")
      }
      tagged[tag] = address.description
    }
    return tagged
  }
}

extension SettingReader.Host {
  var ipAddress: IPAddress? { if case .ip(let address) = self { address } else { nil } }
}
