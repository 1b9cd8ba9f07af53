// The records of the cluster's certificate authority, which certifies services, agents and servers (`/v1/connect/ca`).

/// A root certificate of the authority. One is active; others are on their way out.
public struct CARoot: Record {
  /// The SHA-1 of the certificate, in hexadecimal pairs.
  public var id = ""
  public var name = ""
  public var serialNumber: UInt64 = 0
  /// The identifier of the key that signs, in hexadecimal pairs.
  public var signingKeyID = ""
  /// The trust domain's first part: the id of the cluster.
  public var externalTrustDomain = ""
  public var notBefore = Timestamp()
  public var notAfter = Timestamp()
  /// PEM.
  public var rootCert = ""
  /// What stands between the root and the certificates that it signs, or links it to the root before; PEM.
  public var intermediateCerts: [String] = []
  /// PEM; never set by the built-in provider, which keeps them in its own state.
  public var signingCert = ""
  public var signingKey = Secret()
  public var active = false
  /// When another root took its place.
  public var rotatedOutAt = Timestamp()
  /// `ec` or `rsa`.
  public var privateKeyType = ""
  public var privateKeyBits = 0
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<CARoot>("structs.CARoot") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("SerialNumber", \.serialNumber)
    $0.field("SigningKeyID", \.signingKeyID)
    $0.field("ExternalTrustDomain", \.externalTrustDomain)
    $0.field("NotBefore", \.notBefore)
    $0.field("NotAfter", \.notAfter)
    $0.field("RootCert", \.rootCert)
    $0.field("IntermediateCerts", \.intermediateCerts, .nullWhenEmpty)
    $0.field("SigningCert", \.signingCert, .omitEmpty)
    $0.field("SigningKey", \.signingKey, .secret)
    $0.field("Active", \.active)
    $0.field("RotatedOutAt", \.rotatedOutAt, .hiddenInJSON)
    $0.field("PrivateKeyType", \.privateKeyType)
    $0.field("PrivateKeyBits", \.privateKeyBits)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// What an operator wants of the authority.
public struct CAConfiguration: Record {
  /// Made with the authority and kept through all rotations: the first part of the trust domain.
  public var clusterID = ""
  /// `consul` for the built-in one.
  public var provider = ""
  /// The provider's options, such as `LeafCertTTL`.
  public var config = DynamicMap()
  /// What a provider that is not built in remembers.
  public var state = StringMap()
  /// A new root is put into force although the old one did not certify it.
  public var forceWithoutCrossSigning = false
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<CAConfiguration>("structs.CAConfiguration") {
    $0.field("ClusterID", \.clusterID, .hiddenInJSON)
    $0.field("Provider", \.provider)
    $0.field("Config", \.config)
    $0.field("State", \.state, .nullWhenEmpty)
    $0.field("ForceWithoutCrossSigning", \.forceWithoutCrossSigning)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// What the built-in provider keeps for one configuration of itself.
public struct CAProviderState: Record {
  public var id = ""
  /// PEM.
  public var privateKey = Secret()
  public var rootCert = ""
  public var intermediateCert = ""
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<CAProviderState>("structs.CAConsulProviderState") {
    $0.field("ID", \.id)
    $0.field("PrivateKey", \.privateKey, .secret)
    $0.field("RootCert", \.rootCert)
    $0.field("IntermediateCert", \.intermediateCert)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}

/// A change of the authority as it is logged, and the request to configure it.
public struct CARequest: Record {
  /// What is changed, by the words of the log.
  public enum Operation: String, Sendable, CaseIterable {
    case setRoots = "set-roots"
    case setConfiguration = "set-config"
    case setProviderState = "set-provider-state"
    case deleteProviderState = "delete-provider-state"
    case setRootsAndConfiguration = "set-roots-config"
    case incrementSerial = "increment-provider-serial"
  }

  public var op = ""
  public var datacenter = ""
  /// The index of the roots that a change of roots is based on.
  public var index: UInt64 = 0
  public var roots: [Row<CARoot>] = []
  public var config: CAConfiguration?
  public var providerState: CAProviderState?
  public var token = ""

  public init() {}

  public init(_ operation: Operation) { op = operation.rawValue }

  public static let schema = Schema<CARequest>("structs.CARequest") {
    $0.field("Op", \.op)
    $0.field("Datacenter", \.datacenter)
    $0.field("Index", \.index)
    $0.field("Roots", \.roots)
    $0.field("Config", \.config)
    $0.field("ProviderState", \.providerState)
    $0.field("Token", \.token)
  }
}

/// Gives a new certificate its index.
public struct CALeafRequest: Record {
  public static let incrementIndex = "increment-index"

  public var op = ""
  public var datacenter = ""
  public var token = ""

  public init() {}

  public init(datacenter: String) {
    op = Self.incrementIndex
    self.datacenter = datacenter
  }

  public static let schema = Schema<CALeafRequest>("structs.CALeafRequest") {
    $0.field("Op", \.op)
    $0.field("Datacenter", \.datacenter)
    $0.field("Token", \.token)
  }
}

/// A certificate that the authority made.
public struct IssuedCertificate: Record {
  /// Hexadecimal pairs.
  public var serialNumber = ""
  /// PEM, with the certificates between it and a root that is trusted already.
  public var certPEM = ""
  /// PEM; empty where the one who asked made the key itself.
  public var privateKeyPEM = Secret()
  public var service = ""
  public var serviceURI = ""
  public var agent = ""
  public var agentURI = ""
  public var serverURI = ""
  /// The kind of a gateway.
  public var kind = ""
  public var kindURI = ""
  public var validAfter = Timestamp()
  public var validBefore = Timestamp()
  public var createIndex: UInt64 = 0
  public var modifyIndex: UInt64 = 0

  public init() {}

  public static let schema = Schema<IssuedCertificate>("structs.IssuedCert") {
    $0.field("SerialNumber", \.serialNumber)
    $0.field("CertPEM", \.certPEM, .omitEmpty)
    $0.field("PrivateKeyPEM", \.privateKeyPEM, .omitEmpty)
    $0.field("Service", \.service, .omitEmpty)
    $0.field("ServiceURI", \.serviceURI, .omitEmpty)
    $0.field("Agent", \.agent, .omitEmpty)
    $0.field("AgentURI", \.agentURI, .omitEmpty)
    $0.field("ServerURI", \.serverURI, .omitEmpty)
    $0.field("Kind", \.kind, .omitEmpty)
    $0.field("KindURI", \.kindURI, .omitEmpty)
    $0.field("ValidAfter", \.validAfter)
    $0.field("ValidBefore", \.validBefore)
    $0.field("CreateIndex", \.createIndex)
    $0.field("ModifyIndex", \.modifyIndex)
  }
}
