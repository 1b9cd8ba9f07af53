import Model

extension ServiceResolver: EntryRules {
  func validate() throws(ConfigEntryError) {
    try requireName()
    try checkMeta()
    try checkSubsets()
    try checkRedirect()
    for (subset, failover) in failover.sorted(by: { bytewiseLess($0.key, $1.key) }) {
      try check(failover, of: subset)
    }
    for (field, timeout) in [("ConnectTimeout", connectTimeout), ("RequestTimeout", requestTimeout)] {
      try require(timeout >= .zero, "Bad \(field) '\(timeout.description)', must be >= 0")
    }
    try checkLocalityPreference(prioritizeByLocality)
    try loadBalancer?.check()
  }

  /// Whether the resolver of this service has the subset; "" is what the service has without one.
  private func has(subset: String) -> Bool { subset.isEmpty || subsets[subset] != nil }

  private func checkSubsets() throws(ConfigEntryError) {
    for (name, subset) in subsets.sorted(by: { bytewiseLess($0.key, $1.key) }) {
      try require(!name.isEmpty, "Subset defined with empty name")
      try require(
        name.isSubsetName,
        "Subset \(name.goQuoted) is invalid: must be 63 characters or fewer, begin or end with lower case alphanumeric "
          + "characters, and contain lower case alphanumeric characters or '-' in between")
      if subset.filter.isEmpty { continue }
      do throws(FilterError) {
        try FilterSyntax.check(subset.filter)
      } catch {
        throw ConfigEntryError("Filter for subset \(name.goQuoted) is not a valid expression: \(error.detail)")
      }
    }
    try require(has(subset: defaultSubset), "DefaultSubset \(defaultSubset.goQuoted) is not a valid subset")
  }

  private func checkRedirect() throws(ConfigEntryError) {
    guard let redirect else { return }
    try require(failover.isEmpty, "Redirect and Failover cannot both be set")
    try refuseEnterprise(
      [
        ("Namespace", redirect.namespace), ("Partition", redirect.partition), ("SamenessGroup", redirect.samenessGroup),
      ], "Redirect")
    try require(!redirect.isEmptyValue, "Redirect is empty")
    if redirect.service.isEmpty {
      try require(redirect.serviceSubset.isEmpty, "Redirect.ServiceSubset defined without Redirect.Service")
      try require(redirect.peer.isEmpty, "Redirect.Peer defined without Redirect.Service")
    } else if redirect.service == name, redirect.datacenter.isEmpty, redirect.peer.isEmpty {
      try require(
        has(subset: redirect.serviceSubset),
        "Redirect.ServiceSubset \(redirect.serviceSubset.goQuoted) is not a valid subset of \(redirect.service.goQuoted)"
      )
    }
    guard !redirect.peer.isEmpty else { return }
    try require(redirect.serviceSubset.isEmpty, "Redirect.Peer cannot be set with Redirect.ServiceSubset")
    try require(redirect.datacenter.isEmpty, "Redirect.Peer cannot be set with Redirect.Datacenter")
  }

  private func check(_ failover: ServiceResolverFailover, of subset: String) throws(ConfigEntryError) {
    let place = "Bad Failover[\(subset.goQuoted)]"
    try require(subset == "*" || (!subset.isEmpty && has(subset: subset)), "\(place): not a valid subset subset")
    try refuseEnterprise([("Namespace", failover.namespace), ("SamenessGroup", failover.samenessGroup)], place)
    if let policy = failover.policy, !policy.isEmptyValue {
      throw ConfigEntryError("\(place): Setting failover policies requires Consul Enterprise")
    }
    try require(
      !failover.isEmptyValue,
      "\(place): one of Service, ServiceSubset, Namespace, Targets, SamenessGroup, or Datacenters is required")
    try check(subset: failover.serviceSubset, of: failover.service, place)
    try require(!failover.datacenters.contains(""), "\(place).Datacenters: found empty datacenter")
    guard !failover.targets.isEmpty else { return }
    try require(failover.service.isEmpty, "\(place): Targets cannot be set with Service")
    try require(failover.serviceSubset.isEmpty, "\(place): Targets cannot be set with ServiceSubset")
    try require(failover.datacenters.isEmpty, "\(place): Targets cannot be set with Datacenters")
    for (index, target) in failover.targets.enumerated() { try check(target, "\(place).Targets[\(index)]") }
  }

  private func check(_ target: ServiceResolverFailoverTarget, _ place: String) throws(ConfigEntryError) {
    try refuseEnterprise([("Namespace", target.namespace), ("Partition", target.partition)], place)
    if target.peer.isEmpty {
      if target.datacenter.isEmpty { try check(subset: target.serviceSubset, of: target.service, place) }
      return
    }
    try require(target.serviceSubset.isEmpty, "\(place): Peer cannot be set with ServiceSubset")
    try require(target.datacenter.isEmpty, "\(place): Peer cannot be set with Datacenter")
  }

  /// Subsets of other services are in entries of their own.
  private func check(subset: String, of service: String, _ place: String) throws(ConfigEntryError) {
    guard service.isEmpty || service == name else { return }
    try require(
      has(subset: subset),
      "\(place): ServiceSubset \(subset.goQuoted) is not a valid subset of \(service.goQuoted)")
  }
}

extension String {
  /// Whether a subset can be called so: its name becomes a label of host names.
  fileprivate var isSubsetName: Bool {
    guard let first = utf8.first, let last = utf8.last, utf8.count <= 63 else { return false }
    func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
      byte.isAlphanumeric && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
    return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
      && utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
  }
}
