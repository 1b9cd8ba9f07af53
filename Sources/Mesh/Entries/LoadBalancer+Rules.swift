import Model

extension LoadBalancer {
  func check() throws(ConfigEntryError) {
    try require(
      ["", "random", "round_robin", "least_request", "ring_hash", "maglev"].contains(policy),
      "Bad LoadBalancer policy: \(policy.goQuoted) is not supported")
    try require(
      ringHashConfig == nil || policy == "ring_hash",
      "Bad LoadBalancer configuration. RingHashConfig specified for incompatible load balancing policy "
        + policy.goQuoted)
    try require(
      leastRequestConfig == nil || policy == "least_request",
      "Bad LoadBalancer configuration. LeastRequestConfig specified for incompatible load balancing policy "
        + policy.goQuoted)
    try require(
      hashPolicies.isEmpty || ["ring_hash", "maglev"].contains(policy),
      "Bad LoadBalancer configuration: HashPolicies specified for non-hash-based Policy: \(policy.goQuoted)")
    for (index, policy) in hashPolicies.enumerated() { try policy.check("Bad LoadBalancer HashPolicy[\(index)]: ") }
  }
}

extension HashPolicy {
  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    try require(
      ["", "header", "cookie", "query_parameter"].contains(field), "\(place)\(field.goQuoted) is not a supported field")
    try require(
      !sourceIP || field.isEmpty,
      "\(place)A single hash policy cannot hash both a source address and a \(field.goQuoted)")
    try require(
      field.isEmpty || !fieldValue.isEmpty, "\(place)Field \(field.goQuoted) was specified without a FieldValue")
    try require(!field.isEmpty || fieldValue.isEmpty, "\(place)FieldValue requires a Field to apply to")
    guard let cookieConfig else { return }
    try require(field == "cookie", "\(place)cookie_config provided for \(field.goQuoted)")
    try require(
      !cookieConfig.session || cookieConfig.ttl == .zero, "\(place)a session cookie cannot have an associated TTL")
  }
}
