import Model

// What `consul validate` accepts but an agent refuses at start.
extension RuntimeConfiguration {
  /// The first reason why an agent cannot start with this configuration; nil if it can. Whether certificate files exist and
  /// fit is found out when they are loaded.
  public var startProblem: ConfigurationError? {
    if LogLevel(logging.level) == nil {
      return .invalid(
        "Invalid log level: \(logging.level). Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]")
    }
    if let problem = Self.nodeIDProblem(nodeID) {
      return .invalid("failed to setup node ID: specified NodeID is invalid: \(problem)")
    }
    if !["allow", "deny"].contains(acl.defaultPolicy) {
      return .invalid("unexpected ACL default policy value of \"\(acl.defaultPolicy)\"")
    }
    if !["", "allow", "deny"].contains(defaultIntentionPolicy) {
      return .invalid("unexpected default intention policy value of \"\(defaultIntentionPolicy)\"")
    }
    if !["allow", "deny", "extend-cache", "async-cache"].contains(acl.downPolicy) {
      return .invalid("invalid ACL down policy \"\(acl.downPolicy)\"")
    }
    if autoEncrypt.tls, isServer { return .invalid("auto_encrypt.tls can only be used on a client.") }
    return tlsProblem
  }

  private var tlsProblem: ConfigurationError? {
    let automatic = autoEncrypt.tls || autoConfig.enabled
    for interface in [tls.internalRPC, tls.grpc, tls.https] {
      if interface.verifyOutgoing, !interface.hasAuthority, !automatic {
        return .invalid("VerifyOutgoing set but no CA certificates were provided")
      }
      guard interface.verifyIncoming else { continue }
      if !interface.hasAuthority, !automatic {
        return .invalid("VerifyIncoming set but no CA certificates were provided")
      }
      if !interface.hasCertificate, !automatic {
        return .invalid(
          "VerifyIncoming requires either a Cert and Key pair in the configuration file, or auto_encrypt/auto_config be"
            + " enabled")
      }
    }
    return nil
  }

  private static func nodeIDProblem(_ text: String) -> String? {
    if text.isEmpty { return nil }
    if text.utf8.count != 36 { return "uuid string is wrong length" }
    return Identifier.isValid(text) ? nil : "uuid is improperly formatted"
  }
}
