/// Something that happened, told to all agents of a datacenter or to some.
public struct UserEvent: Record {
  public var id = ""
  public var name = ""
  public var payload = Bytes()
  /// Regular expression for the names of the nodes that it is for; "" is for all.
  public var nodeFilter = ""
  /// Regular expression for the names of the services whose agents it is for.
  public var serviceFilter = ""
  /// Regular expression for a tag that such a service has.
  public var tagFilter = ""
  public var version = 1
  /// The Lamport time of its sending; 0 before.
  public var lamportTime: UInt64 = 0

  public init() {}

  public static let schema = Schema<UserEvent>("agent.UserEvent") {
    $0.field("ID", \.id)
    $0.field("Name", \.name)
    $0.field("Payload", \.payload)
    $0.field("NodeFilter", \.nodeFilter)
    $0.field("ServiceFilter", \.serviceFilter)
    $0.field("TagFilter", \.tagFilter)
    $0.field("Version", \.version)
    $0.field("LTime", \.lamportTime)
  }

  /// The index of an answer whose newest event has this id: its two halves, one over the other. It says whether something
  /// is new, not what came first.
  public static func index(ofID id: String) -> UInt64 {
    let digits = id.filter { $0 != "-" }
    guard digits.utf8.count == 32 else { return 0 }
    return (UInt64(digits.prefix(16), radix: 16) ?? 0) ^ (UInt64(digits.suffix(16), radix: 16) ?? 0)
  }
}
