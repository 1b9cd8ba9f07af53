import Model

/// Which instances are meant: a service or a subset of it, here, in another datacenter, or at a peer.
struct TargetAddress: Hashable {
  var service: String
  var subset = ""
  /// Empty at a peer.
  var datacenter: String
  var peer = ""

  /// How targets are told apart. Namespace and partition are always `default` here.
  var id: String {
    let place = peer.isEmpty ? datacenter : "external.\(peer)"
    return "\(subset.isEmpty ? "" : subset + ".")\(service).default.default.\(place)"
  }

  /// What proxies call the instances, and name when they begin TLS. Empty for a peer, whose own trust domain counts.
  func serverName(trustDomain: String) -> String {
    guard peer.isEmpty else { return "" }
    return "\(subset.isEmpty ? "" : subset + ".")\(service).default.\(datacenter).internal.\(trustDomain)"
  }

  /// The address with the parts that are given in place of its own.
  ///
  /// A subset belongs to its service: it does not survive the change to another. Whoever is at a peer and is not sent to one
  /// comes back.
  /// - Parameter home: the datacenter to come back to.
  func changed(
    service: String = "", subset: String = "", datacenter: String = "", peer: String = "", home: String
  ) -> TargetAddress {
    var address = self
    if !service.isEmpty, service != address.service {
      address.service = service
      address.subset = ""
    }
    if !subset.isEmpty { address.subset = subset }
    address.peer = peer
    if !peer.isEmpty {
      address.datacenter = ""
    } else if !datacenter.isEmpty {
      address.datacenter = datacenter
    } else if address.datacenter.isEmpty {
      address.datacenter = home
    }
    return address
  }
}
