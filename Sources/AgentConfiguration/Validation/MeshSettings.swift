import Mesh
import Model

/// The options of a certificate authority.
enum CertificateAuthoritySettings {
  static func check(_ connect: RuntimeConfiguration.Connect) throws(ConfigurationError) {
    let known = ["", "consul", "vault", "aws-pca"]
    guard known.contains(connect.caProvider) else {
      throw .invalid("connect.ca_provider: unsupported CA provider: \"\(connect.caProvider)\"")
    }
    let leaf = try duration(connect, "LeafCertTTL") ?? .hours(72)
    let intermediate = try duration(connect, "IntermediateCertTTL") ?? .hours(8760)
    guard leaf >= .hours(1) else {
      throw .invalid("leaf cert TTL must be greater or equal than \(GoDuration.hours(1))")
    }
    guard leaf <= .hours(8760) else { throw .invalid("leaf cert TTL must be less than \(GoDuration.hours(8760))") }
    guard intermediate >= leaf.scaled(by: 3) else {
      throw .invalid("Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=\(leaf.scaled(by: 3))).")
    }
    if let root = try duration(connect, "RootCertTTL"), root <= intermediate {
      throw .invalid("root cert TTL must be greater than the intermediate cert TTL (\(intermediate)).")
    }
    try checkKey(connect)
  }

  private static func duration(
    _ connect: RuntimeConfiguration.Connect, _ name: String
  ) throws(ConfigurationError) -> GoDuration? {
    guard let value = connect.caConfig[name] else { return nil }
    guard case .string(let text) = value, let duration = GoDuration(text) else {
      let reason = value.string.map { GoDuration.reason($0) } ?? "expected a text such as 72h"
      throw .invalid("connect.ca_config: invalid \(name): \(reason)")
    }
    return duration
  }

  private static func checkKey(_ connect: RuntimeConfiguration.Connect) throws(ConfigurationError) {
    let type = connect.caConfig["PrivateKeyType"]?.string ?? "ec"
    guard let bits = connect.caConfig["PrivateKeyBits"]?.int else {
      guard ["", "ec", "rsa"].contains(type) else { throw .invalid("private key type must be either 'ec' or 'rsa'") }
      return
    }
    switch type {
    case "", "ec":
      guard [0, 224, 256, 384, 521].contains(bits) else {
        throw .invalid("EC key length must be one of (224, 256, 384, 521) bits")
      }
    case "rsa":
      guard [0, 2048, 4096].contains(bits) else { throw .invalid("RSA key length must be 2048 or 4096 bits") }
    default: throw .invalid("private key type must be either 'ec' or 'rsa'")
    }
  }
}

extension RuntimeConfiguration {
  /// The config entries that a leader writes, if they are not there.
  public func initialConfigEntries() throws(ConfigurationError) -> [ConfigEntry] {
    var entries: [ConfigEntry] = []
    for (index, body) in configEntriesToBootstrap.enumerated() {
      do throws(ConfigEntryError) {
        entries.append(try ConfigEntry(body: .object(body.members), blocks: true).prepared())
      } catch {
        throw .invalid("config_entries.bootstrap[\(index)]: \(error)")
      }
    }
    return entries
  }

  /// Whether services of the mesh may connect where no intention says otherwise.
  public var allowsIntentionsByDefault: Bool {
    switch defaultIntentionPolicy {
    case "": !acl.enabled || acl.defaultPolicy == "allow"
    default: defaultIntentionPolicy == "allow"
    }
  }
}

/// Watches: what to follow, and what to call.
enum WatchSettings {
  static let types: Set<String> = [
    "key", "keyprefix", "services", "nodes", "service", "checks", "event", "connect_roots", "connect_leaf",
    "agent_service",
  ]

  static func problem(_ watch: DynamicMap) -> String? {
    guard let type = watch["type"]?.string, !type.isEmpty else { return "Watch type must be specified" }
    guard types.contains(type) else { return "Unsupported watch type: \(type)" }
    let handlerType = watch["handler_type"]?.string ?? "script"
    switch handlerType {
    case "http":
      let configuration = watch["http_handler_config"]?.singleObject
      guard configuration?["path"]?.string?.isEmpty == false else { return "Requires 'path' to be set" }
    case "script", "":
      let hasHandler = watch["handler"]?.string?.isEmpty == false
      let hasArguments = watch["args"]?.array?.isEmpty == false
      guard hasHandler || hasArguments else { return "Must define a watch handler" }
      guard !(hasHandler && hasArguments) else { return "Only one watch handler allowed" }
    default: return "Handler type '\(handlerType)' not recognized"
    }
    return nil
  }
}
