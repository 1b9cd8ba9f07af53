import Model

/// What an agent that is new to the cluster asks for (`auto_config`; wire/protobuf.md, `autoconf.AutoConfigRequest`).
public struct AutoConfigRequest: ProtobufMessage, Sendable, Equatable {
  public var datacenter = ""
  /// The name that the agent wants to have.
  public var node = ""
  public var segment = ""
  public var partition = ""
  /// What introduces the agent: a token that somebody signed whom the servers believe.
  public var jwt = ""
  public var consulToken = ""
  /// PEM.
  public var csr = ""

  public init() {}

  public static let layout = ProtobufLayout<AutoConfigRequest> {
    $0.field(1, \.datacenter)
    $0.field(2, \.node)
    $0.field(4, \.segment)
    $0.field(5, \.jwt)
    $0.field(6, \.consulToken)
    $0.field(7, \.csr)
    $0.field(8, \.partition)
  }
}

/// What it gets: settings to start with, and a certificate. Also the file that the agent keeps it in.
public struct AutoConfigResponse: ProtobufMessage, Record {
  public var config = AutoConfigSettings()
  public var caRoots = AutoConfigRoots()
  public var certificate: IssuedCertificate?
  /// PEM; the authorities that the servers' own certificates are from.
  public var extraCACertificates: [String] = []

  public init() {}

  public static let layout = ProtobufLayout<AutoConfigResponse> {
    $0.field(1, \.config)
    $0.field(2, \.caRoots)
    $0.field(3, \.certificate)
    $0.field(4, \.extraCACertificates)
  }

  public static let schema = Schema<AutoConfigResponse>("autoconf.AutoConfigResponse") {
    $0.field("Config", \.config)
    $0.field("CARoots", \.caRoots)
    $0.field("Certificate", \.certificate)
    $0.field("ExtraCACertificates", \.extraCACertificates)
  }
}

/// The roots of the cluster's authority.
public struct AutoConfigRoots: ProtobufMessage, Record {
  public var activeRootID = ""
  public var trustDomain = ""
  public var roots: [Row<CARoot>] = []

  public init() {}

  public static let layout = ProtobufLayout<AutoConfigRoots> {
    $0.field(1, \.activeRootID)
    $0.field(2, \.trustDomain)
    $0.field(3, \.roots)
  }

  public static let schema = Schema<AutoConfigRoots>("connect.CARoots") {
    $0.field("ActiveRootID", \.activeRootID)
    $0.field("TrustDomain", \.trustDomain)
    $0.field("Roots", \.roots)
  }

  init(_ roots: CARoots) {
    activeRootID = roots.activeID
    trustDomain = roots.trustDomain
    self.roots = roots.roots
  }

  var value: CARoots { CARoots(activeID: activeRootID, trustDomain: trustDomain, roots: roots) }
}

/// The settings of an agent that the servers decide about (`config.Config`).
public struct AutoConfigSettings: ProtobufMessage, Record {
  public struct ACL: ProtobufMessage, Record {
    public var enabled = false
    /// Durations as in configuration files; "" leaves the agent its own.
    public var policyTTL = ""
    public var roleTTL = ""
    public var tokenTTL = ""
    public var downPolicy = ""
    public var defaultPolicy = ""
    public var enableKeyListPolicy = false
    public var tokens: Tokens?
    public var enableTokenPersistence = false

    public init() {}

    public static let layout = ProtobufLayout<ACL> {
      $0.field(1, \.enabled)
      $0.field(2, \.policyTTL)
      $0.field(3, \.roleTTL)
      $0.field(4, \.tokenTTL)
      $0.field(5, \.downPolicy)
      $0.field(6, \.defaultPolicy)
      $0.field(7, \.enableKeyListPolicy)
      $0.field(8, \.tokens)
      $0.field(10, \.enableTokenPersistence)
    }

    public static let schema = Schema<ACL>("config.ACL") {
      $0.field("Enabled", \.enabled)
      $0.field("PolicyTTL", \.policyTTL)
      $0.field("RoleTTL", \.roleTTL)
      $0.field("TokenTTL", \.tokenTTL)
      $0.field("DownPolicy", \.downPolicy)
      $0.field("DefaultPolicy", \.defaultPolicy)
      $0.field("EnableKeyListPolicy", \.enableKeyListPolicy)
      $0.field("Tokens", \.tokens)
      $0.field("EnableTokenPersistence", \.enableTokenPersistence)
    }
  }

  public struct Tokens: ProtobufMessage, Record {
    public var `default` = ""
    public var agent = ""

    public init() {}

    public static let layout = ProtobufLayout<Tokens> {
      $0.field(4, \.default)
      $0.field(5, \.agent)
    }

    public static let schema = Schema<Tokens>("config.ACLTokens") {
      $0.field("Default", \.default)
      $0.field("Agent", \.agent)
    }
  }

  public struct Gossip: ProtobufMessage, Record {
    public var encryption: Encryption?
    public var retryJoinLAN: [String] = []

    public init() {}

    public static let layout = ProtobufLayout<Gossip> {
      $0.field(1, \.encryption)
      $0.field(2, \.retryJoinLAN)
    }

    public static let schema = Schema<Gossip>("config.Gossip") {
      $0.field("Encryption", \.encryption)
      $0.field("RetryJoinLAN", \.retryJoinLAN)
    }
  }

  public struct Encryption: ProtobufMessage, Record {
    /// Base64.
    public var key = ""
    public var verifyIncoming = false
    public var verifyOutgoing = false

    public init() {}

    public static let layout = ProtobufLayout<Encryption> {
      $0.field(1, \.key)
      $0.field(2, \.verifyIncoming)
      $0.field(3, \.verifyOutgoing)
    }

    public static let schema = Schema<Encryption>("config.GossipEncryption") {
      $0.field("Key", \.key)
      $0.field("VerifyIncoming", \.verifyIncoming)
      $0.field("VerifyOutgoing", \.verifyOutgoing)
    }
  }

  public struct TLS: ProtobufMessage, Record {
    public var verifyOutgoing = false
    public var verifyServerHostname = false
    /// Names, separated by commas.
    public var cipherSuites = ""
    /// `TLSv1_2`
    public var minVersion = ""

    public init() {}

    public static let layout = ProtobufLayout<TLS> {
      $0.field(1, \.verifyOutgoing)
      $0.field(2, \.verifyServerHostname)
      $0.field(3, \.cipherSuites)
      $0.field(4, \.minVersion)
    }

    public static let schema = Schema<TLS>("config.TLS") {
      $0.field("VerifyOutgoing", \.verifyOutgoing)
      $0.field("VerifyServerHostname", \.verifyServerHostname)
      $0.field("CipherSuites", \.cipherSuites)
      $0.field("MinVersion", \.minVersion)
    }
  }

  public var datacenter = ""
  public var primaryDatacenter = ""
  public var nodeName = ""
  public var segmentName = ""
  public var partition = ""
  public var acl: ACL?
  public var gossip: Gossip?
  public var tls: TLS?

  public init() {}

  public static let layout = ProtobufLayout<AutoConfigSettings> {
    $0.field(1, \.datacenter)
    $0.field(2, \.primaryDatacenter)
    $0.field(3, \.nodeName)
    $0.field(4, \.segmentName)
    $0.field(5, \.acl)
    $0.field(7, \.gossip)
    $0.field(8, \.tls)
    $0.field(9, \.partition)
  }

  public static let schema = Schema<AutoConfigSettings>("config.Config") {
    $0.field("Datacenter", \.datacenter)
    $0.field("PrimaryDatacenter", \.primaryDatacenter)
    $0.field("NodeName", \.nodeName)
    $0.field("SegmentName", \.segmentName)
    $0.field("Partition", \.partition)
    $0.field("ACL", \.acl)
    $0.field("Gossip", \.gossip)
    $0.field("TLS", \.tls)
  }
}

// MARK: On the wire

/// A message of Protocol Buffers as the argument or the answer of a call: one text that holds its bytes (wire/rpc.md,
/// section 2.4).
struct AutoConfigCall: RPCWriteRequest {
  var message = AutoConfigRequest()

  init() {}
  init(_ message: AutoConfigRequest) { self.message = message }

  var datacenter: String {
    get { message.datacenter }
    set { message.datacenter = newValue }
  }

  var token: String {
    get { message.consulToken }
    set { message.consulToken = newValue }
  }

  static let schema = Schema<AutoConfigCall>("autoconf.AutoConfigRequest") { _ in }

  func encode(_ writer: inout MessagePackWriter) { writer.binary(message.protobuf()) }
  init(from reader: inout MessagePackReader) throws(MessagePackError) { message = try .init(embedded: &reader) }
}

/// The same for the answer.
struct AutoConfigAnswer: Record {
  var message = AutoConfigResponse()

  init() {}
  init(_ message: AutoConfigResponse) { self.message = message }

  static let schema = Schema<AutoConfigAnswer>("autoconf.AutoConfigResponse") { _ in }

  func encode(_ writer: inout MessagePackWriter) { writer.binary(message.protobuf()) }
  init(from reader: inout MessagePackReader) throws(MessagePackError) { message = try .init(embedded: &reader) }
}

extension ProtobufMessage {
  fileprivate init(embedded reader: inout MessagePackReader) throws(MessagePackError) {
    let start = reader.offset
    let bytes = try reader.rawString()
    do throws(ProtobufError) {
      try self.init(protobuf: bytes)
    } catch {
      throw .mismatch(expected: "protobuf message, but: \(error)", found: bytes.first ?? 0, offset: start)
    }
  }
}
