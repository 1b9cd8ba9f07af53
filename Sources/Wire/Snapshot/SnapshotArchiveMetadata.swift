import Model

/// `meta.json` of a snapshot archive (wire/snapshot.md): at which point of the log the state was.
public struct SnapshotArchiveMetadata: Record {
  public var version = 1
  /// `<term>-<index>-<milliseconds>`
  public var id = ""
  public var index: UInt64 = 0
  public var term: UInt64 = 0
  /// The addresses of the voters as MessagePack, for readers of old releases.
  public var peers = Bytes()
  public var configuration = Configuration()
  public var configurationIndex: UInt64 = 0
  /// Bytes of the state.
  public var size: Int64 = 0

  public init() {}

  /// A snapshot of now.
  public init(
    index: UInt64, term: UInt64, servers: [Server], configurationIndex: UInt64, size: Int64, milliseconds: Int64
  ) {
    id = "\(term)-\(index)-\(milliseconds)"
    self.index = index
    self.term = term
    configuration.servers = servers
    self.configurationIndex = configurationIndex
    self.size = size
    let voters = servers.filter { $0.suffrage == 0 }
    var writer = MessagePackWriter()
    writer.arrayHeader(voters.count)
    for voter in voters { writer.string(voter.address) }
    peers = Bytes(writer.bytes)
  }

  public static let schema = Schema<SnapshotArchiveMetadata>("raft.SnapshotMeta") {
    $0.field("Version", \.version)
    $0.field("ID", \.id)
    $0.field("Index", \.index)
    $0.field("Term", \.term)
    $0.field("Peers", \.peers)
    $0.field("Configuration", \.configuration)
    $0.field("ConfigurationIndex", \.configurationIndex)
    $0.field("Size", \.size)
  }

  /// The servers of the cluster.
  public struct Configuration: Record {
    public var servers: [Server] = []

    public init() {}

    public static let schema = Schema<Configuration>("raft.Configuration") { $0.field("Servers", \.servers) }
  }

  public struct Server: Record {
    /// 0 for voters, 1 for others.
    public var suffrage = 0
    public var id = ""
    public var address = ""

    public init() {}
    public init(id: String, address: String, isVoter: Bool) {
      suffrage = isVoter ? 0 : 1
      self.id = id
      self.address = address
    }

    public static let schema = Schema<Server>("raft.Server") {
      $0.field("Suffrage", \.suffrage)
      $0.field("ID", \.id)
      $0.field("Address", \.address)
    }
  }
}

/// The members of an archive.
enum SnapshotMember {
  static let metadata = "meta.json"
  static let state = "state.bin"
  static let hashes = "SHA256SUMS"
}
