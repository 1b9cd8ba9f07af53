import Certificates
import Crypto
import Model

/// What a server is told about the cluster's certificate authority.
public struct AuthoritySettings: Sendable {
  /// What a new cluster begins with.
  public var provider = "consul"
  public var config = DynamicMap()
  /// Whether this datacenter makes the root that all datacenters trust.
  public var isPrimary = true

  public init() {}

  /// What a leader writes that finds none.
  var initialConfiguration: CAConfiguration {
    var new = CAConfiguration()
    new.provider = provider.isEmpty ? "consul" : provider
    new.config["LeafCertTTL"] = "72h"
    new.config["IntermediateCertTTL"] = "8760h"
    new.config["RootCertTTL"] = "87600h"
    for (key, value) in config.members where key != Self.clusterIDKey { new.config[key] = value }
    new.clusterID = config[Self.clusterIDKey]?.string ?? Identifier.random()
    return new
  }

  private static let clusterIDKey = "ClusterID"
}

/// The options of the built-in provider, checked.
struct ProviderOptions: Sendable, Equatable {
  var leafLifetime = GoDuration.hours(72)
  var intermediateLifetime = GoDuration.hours(8760)
  var rootLifetime = GoDuration.hours(87600)
  var keyType = "ec"
  var keyBits = 256
  /// PEM; empty for those that the provider makes.
  var privateKey = ""
  var rootCertificate = ""
  /// Requests that are signed per second; 0 is no limit.
  var requestsPerSecond = 50.0
  /// Requests that are signed at a time; 0 is no limit. Counts instead of the rate.
  var requestsAtATime = 0

  /// - Throws: the reference's text for options that cannot be.
  init(_ config: DynamicMap) throws(ServerError) {
    var problems: [String] = []
    func duration(_ name: String, _ value: inout GoDuration) {
      guard let given = config[name], given != .null else { return }
      if let text = given.string, let duration = GoDuration(text) {
        value = duration
      } else if let number = given.int {
        value = GoDuration(nanoseconds: number)
      } else {
        problems.append("error decoding '\(name)': \(GoDuration.reason(given.string ?? ""))")
      }
    }
    let wantsRoot = config["RootCertTTL"] != nil
    duration("LeafCertTTL", &leafLifetime)
    duration("IntermediateCertTTL", &intermediateLifetime)
    duration("RootCertTTL", &rootLifetime)
    keyType = config["PrivateKeyType"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? "ec"
    keyBits = config["PrivateKeyBits"]?.wholeNumber.flatMap { $0 == 0 ? nil : $0 } ?? (keyType == "rsa" ? 2048 : 256)
    privateKey = config["PrivateKey"]?.string ?? ""
    rootCertificate = config["RootCert"]?.string ?? ""
    if let rate = config["CSRMaxPerSecond"]?.realNumber { requestsPerSecond = rate }
    if let count = config["CSRMaxConcurrent"]?.wholeNumber { requestsAtATime = count }
    if !problems.isEmpty {
      let list = problems.map { "* \($0)" }.joined(separator: "\n")
      throw Self.refused("error decoding config: \(problems.count) error(s) decoding:\n\n\(list)")
    }
    try checkLifetimes(wantsRoot: wantsRoot)
    try checkKey()
  }

  private static func refused(_ text: String) -> ServerError { .rejected("error configuring provider: \(text)") }

  private func checkLifetimes(wantsRoot: Bool) throws(ServerError) {
    guard leafLifetime >= .hours(1) else {
      throw Self.refused("leaf cert TTL must be greater or equal than \(GoDuration.hours(1))")
    }
    guard leafLifetime <= .hours(8760) else {
      throw Self.refused("leaf cert TTL must be less than \(GoDuration.hours(8760))")
    }
    let least = GoDuration(nanoseconds: leafLifetime.nanoseconds &* 3)
    guard intermediateLifetime >= least else {
      throw Self.refused("Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=\(least)).")
    }
    guard rootLifetime > intermediateLifetime else {
      throw Self.refused(
        "root cert TTL is set and is not greater than intermediate cert ttl. root cert ttl: \(rootLifetime), "
          + "intermediate cert ttl: \(intermediateLifetime)")
    }
  }

  private func checkKey() throws(ServerError) {
    switch keyType {
    case "ec":
      guard [224, 256, 384, 521].contains(keyBits) else {
        throw Self.refused("EC key length must be one of (224, 256, 384, 521) bits")
      }
    case "rsa":
      guard [2048, 4096].contains(keyBits) else { throw Self.refused("RSA key length must be 2048 or 4096 bits") }
    default: throw Self.refused("private key type must be either 'ec' or 'rsa'")
    }
  }

  /// Names the options that a root depends on: other ones need another root.
  var providerID: String {
    HexadecimalPairs.text(
      SHA256.hash(data: Array("\(privateKey),\(rootCertificate),\(keyType),\(keyBits),true".utf8)))
  }

  var keyKind: PrivateKey.Kind? {
    switch (keyType, keyBits) {
    case ("rsa", let bits): .rsa(bits: bits)
    case (_, 256): .p256
    case (_, 384): .p384
    case (_, 521): .p521
    default: nil
    }
  }
}

extension Dynamic {
  fileprivate var realNumber: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    default: nil
    }
  }

  /// Numbers of JSON may have a point.
  fileprivate var wholeNumber: Int? { realNumber.flatMap { Int(exactly: $0) } }
}
