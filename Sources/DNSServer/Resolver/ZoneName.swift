import Wire

/// What a name below the domain means: `[tag.]<service>.service[.<datacenter>]` and the other forms.
enum ZoneName: Equatable {
  case node(String, CatalogPlace)
  case service(ServiceLookup)
  case virtual(String, CatalogPlace)
  case preparedQuery(String, datacenter: String)
  /// `<hexadecimal>.addr`
  case address(DNSAddress)

  /// Reads the labels before the domain.
  /// - Returns: nil if no name of the zone looks like this.
  init?(_ name: DNSName, within domain: DNSName, type: DNSRecordType) {
    let labels = Self.labels(of: name, before: domain)
    // The address form ignores what follows; it says itself what it stands for.
    if labels.count > 1, labels[1] == "addr" {
      guard let address = DNSAddress(hexadecimalLabel: labels[0].utf8) else { return nil }
      self = .address(address)
      return
    }
    for index in labels.indices.reversed() {
      switch labels[index] {
      case "node", "service", "connect", "virtual", "ingress", "query":
        self.init(labels[..<index], keyword: labels[index], suffix: labels[(index + 1)...])
        return
      default:
        // RFC 2782 names need no "service": `_web._tcp.consul`.
        if type == .srv, labels[index].utf8.first == UInt8(ascii: "_") {
          self.init(labels[...index], keyword: "service", suffix: labels[(index + 1)...])
          return
        }
      }
    }
    return nil
  }

  private init?(_ parts: ArraySlice<String>, keyword: String, suffix: ArraySlice<String>) {
    guard let last = parts.last, let place = CatalogPlace(labels: suffix, alonePeer: keyword == "virtual") else {
      return nil
    }
    switch keyword {
    case "node":
      self = .node(parts.joinedByDots, place)
    case "service":
      if let (service, tag) = Self.underscored(parts) {
        self = .service(ServiceLookup(name: service, tag: tag == "tcp" ? nil : tag, place: place))
      } else {
        let tag = parts.dropLast()
        self = .service(ServiceLookup(name: last, tag: tag.isEmpty ? nil : tag.joinedByDots, place: place))
      }
    case "connect":
      self = .service(ServiceLookup(name: last, kind: .mesh, place: place))
    case "ingress":
      self = .service(ServiceLookup(name: last, kind: .ingress, place: place))
    case "virtual":
      self = .virtual(last, place)
    default:
      guard place.peer.isEmpty else { return nil }
      if let (name, proto) = Self.underscored(parts), proto == "tcp" {
        self = .preparedQuery(name, datacenter: place.datacenter)
      } else {
        self = .preparedQuery(parts.joinedByDots, datacenter: place.datacenter)
      }
    }
  }

  /// The two parts of `_service._protocol` (RFC 2782) without their underscores.
  private static func underscored(_ parts: ArraySlice<String>) -> (String, String)? {
    guard parts.count == 2, let first = parts.first, let second = parts.last else { return nil }
    guard first.utf8.count > 1, second.utf8.count > 1, first.hasPrefix("_"), second.hasPrefix("_") else { return nil }
    return (String(first.dropFirst()), String(second.dropFirst()))
  }

  /// The labels of `name` before `domain`, in small letters.
  private static func labels(of name: DNSName, before domain: DNSName) -> [String] {
    let end = name.wire.count - domain.wire.count
    var labels: [String] = []
    labels.reserveCapacity(6)
    name.wire.withUnsafeBufferPointer { wire in
      var offset = 0
      while offset < end {
        let length = Int(wire[offset])
        let bytes = UnsafeBufferPointer(rebasing: wire[offset + 1..<offset + 1 + length])
        if bytes.contains(where: { $0 &- UInt8(ascii: "A") < 26 }) {
          labels.append(String(decoding: bytes, as: UTF8.self).lowercased())
        } else {
          labels.append(String(decoding: bytes, as: UTF8.self))
        }
        offset += 1 + length
      }
    }
    return labels
  }
}

extension CatalogPlace {
  /// Reads what follows the keyword: nothing, `<datacenter>`, `<datacenter>.dc` or `<peer>.peer`. Namespaces,
  /// partitions and sameness groups do not exist here.
  fileprivate init?(labels: ArraySlice<String>, alonePeer: Bool) {
    guard let first = labels.first, let last = labels.last else {
      self = .local
      return
    }
    switch (labels.count, last) {
    case (1, _): self = alonePeer ? CatalogPlace(peer: first) : CatalogPlace(datacenter: first)
    case (2, "dc"): self = CatalogPlace(datacenter: first)
    case (2, "peer"): self = CatalogPlace(peer: first)
    default: return nil
    }
  }
}

extension ArraySlice<String> {
  fileprivate var joinedByDots: String {
    count == 1 ? self[startIndex] : joined(separator: ".")
  }
}
