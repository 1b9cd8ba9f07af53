import Wire

/// Settings made ready for answering: names in wire form, TTLs in seconds. Immutable; a reload replaces it.
final class ResolverConfiguration: Sendable {
  let settings: DNSSettings
  /// The zone under its own name.
  let primary: Zone
  /// The zone under both names, the longer one first: it may lie below the other.
  let zones: [Zone]
  let nodeTTL: UInt32
  let serviceTTL: ServiceTTLPolicy
  let recursors: [RecursorAddress]
  let readOptions: CatalogReadOptions

  init(_ settings: DNSSettings) throws(DNSServerError) {
    self.settings = settings
    primary = try Zone(domain: settings.domain, settings)
    if let alternative = settings.alternativeDomain, !alternative.isEmpty {
      let other = try Zone(domain: alternative, settings)
      zones = other.domain.wire.count > primary.domain.wire.count ? [other, primary] : [primary, other]
    } else {
      zones = [primary]
    }
    readOptions = CatalogReadOptions(settings)
    nodeTTL = settings.nodeTTL.wholeSeconds
    serviceTTL = ServiceTTLPolicy(settings.serviceTTL)
    var recursors: [RecursorAddress] = []
    for text in settings.recursors {
      guard let address = RecursorAddress(text) else { throw .invalidRecursor(text) }
      if !recursors.contains(address) { recursors.append(address) }
    }
    self.recursors = recursors
  }

  var hasRecursors: Bool { !recursors.isEmpty }

  /// The zone that a name belongs to.
  func zone(of name: DNSName) -> Zone? {
    zones.first { name.isWithin($0.domain) }
  }
}

/// One name of the zone, with the names below it that answers are made of. A class, as are its suffixes: answers pass them
/// around, and a reference is cheaper to copy than many names.
final class Zone: Sendable {
  let domain: DNSName
  let authority: DNSAuthority
  private let datacenter: String
  private let local: Suffixes

  /// `node.dc1.consul` and its like.
  final class Suffixes: Sendable {
    let node: DNSName
    let address: DNSName
    let service: DNSName

    init?(_ place: DNSName) {
      guard
        let node = place.prefixed(by: "node".utf8), let address = place.prefixed(by: "addr".utf8),
        let service = place.prefixed(by: "service".utf8)
      else { return nil }
      self.node = node
      self.address = address
      self.service = service
    }
  }

  init(domain text: String, _ settings: DNSSettings) throws(DNSServerError) {
    guard let domain = try? DNSName(text) else { throw .invalidDomain(text) }
    let place = domain.prefixed(by: settings.datacenter.utf8) ?? domain
    guard
      let nameServer = domain.prefixed(by: "ns".utf8), let mailbox = domain.prefixed(by: "hostmaster".utf8),
      let local = Suffixes(place)
    else { throw .invalidDomain(text) }
    self.domain = domain
    self.local = local
    datacenter = settings.datacenter
    authority = DNSAuthority(
      nameServer: nameServer, mailbox: mailbox, serial: 0, refresh: settings.authority.refresh,
      retry: settings.authority.retry, expire: settings.authority.expire, minimumTTL: settings.authority.minimumTTL)
  }

  /// The suffixes of names in a datacenter, or of what was imported from a peer.
  func suffixes(datacenter: String, peer: String) -> Suffixes {
    if peer.isEmpty {
      if datacenter.isEmpty || datacenter == self.datacenter { return local }
      return domain.prefixed(by: datacenter.utf8).flatMap(Suffixes.init) ?? local
    }
    let place = domain.prefixed(by: "peer".utf8)?.prefixed(by: peer.utf8)
    return place.flatMap(Suffixes.init) ?? local
  }
}

/// How long answers about a service may be remembered, by its name.
struct ServiceTTLPolicy: Sendable {
  private var exact: [String: UInt32] = [:]
  /// Text before the `*`, longest first.
  private var prefixes: [(prefix: String, ttl: UInt32)] = []

  init(_ settings: [String: Duration]) {
    for (name, duration) in settings {
      let name = name.lowercased()
      if name.hasSuffix("*") {
        prefixes.append((String(name.dropLast()), duration.wholeSeconds))
      } else {
        exact[name] = duration.wholeSeconds
      }
    }
    prefixes.sort { ($0.prefix.utf8.count, $1.prefix) > ($1.prefix.utf8.count, $0.prefix) }
  }

  /// - Parameter service: name in small letters.
  func seconds(for service: String) -> UInt32 {
    if exact.isEmpty && prefixes.isEmpty { return 0 }
    return exact[service] ?? prefixes.first { service.hasPrefix($0.prefix) }?.ttl ?? 0
  }
}

extension Duration {
  /// Whole seconds, within what a TTL field can hold (RFC 2181, section 8).
  var wholeSeconds: UInt32 { UInt32(clamping: max(0, min(components.seconds, Int64(Int32.max)))) }
}

/// Address and port of an upstream server.
struct RecursorAddress: Hashable, Sendable, CustomStringConvertible {
  let address: DNSAddress
  let port: UInt16

  init?(_ text: String) {
    var host = text[...]
    var port: Substring?
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      let rest = host[host.index(after: end)...]
      host = host[host.index(after: host.startIndex)..<end]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      if !rest.isEmpty { port = rest.dropFirst() }
    } else if host.contains("."), let colon = host.lastIndex(of: ":"), !host[..<colon].contains(":") {
      port = host[host.index(after: colon)...]
      host = host[..<colon]
    }
    guard let address = DNSAddress(String(host)) else { return nil }
    if let port {
      guard let number = UInt16(port), number > 0 else { return nil }
      self.port = number
    } else {
      self.port = 53
    }
    self.address = address
  }

  var description: String {
    switch address {
    case .v4: "\(address):\(port)"
    case .v6: "[\(address)]:\(port)"
    }
  }
}
