import Model

/// A change of the state as the log carries it: a type byte and a MessagePack body (wire/raft.md part C).
public enum Command: Sendable, Equatable {
  case register(RegisterRequest)
  case deregister(DeregisterRequest)
  case kvs(KVSRequest)
  case session(SessionRequest)
  case tombstone(TombstoneRequest)
  case coordinates([NodeCoordinate])
  case preparedQuery(PreparedQueryRequest)
  case txn(TxnRequest)
  case autopilot(AutopilotSetConfigRequest)
  case accessControl(AccessControlCommand)
  case certificateAuthority(CARequest)
  case intention(IntentionRequest)
  case configEntry(ConfigEntryRequest)
  /// Gives a new certificate its index.
  case leafIndex(CALeafRequest)
  /// A command that this release does not know and that its writer marked as one to be ignored then.
  case ignored(type: UInt8)

  /// Set in the type byte of commands that a server may ignore.
  public static let ignoreFlag: UInt8 = 0x80

  public var type: UInt8 {
    switch self {
    case .register: 0
    case .deregister: 1
    case .kvs: 2
    case .session: 3
    case .tombstone: 5
    case .coordinates: 6 | Self.ignoreFlag
    case .preparedQuery: 7
    case .txn: 8
    case .autopilot: 9
    case .accessControl(let command): command.type
    case .intention: 12
    case .certificateAuthority: 13
    case .leafIndex: 21 | Self.ignoreFlag
    case .configEntry: 22
    case .ignored(let type): type | Self.ignoreFlag
    }
  }

  public func encode() -> [UInt8] {
    var writer = MessagePackWriter()
    switch self {
    case .register(let request): request.encode(&writer)
    case .deregister(let request): request.encode(&writer)
    case .kvs(let request): request.encode(&writer)
    case .session(let request): request.encode(&writer)
    case .tombstone(let request): request.encode(&writer)
    case .coordinates(let batch): batch.encode(&writer)
    case .preparedQuery(let request): request.encode(&writer)
    case .txn(let request): request.encode(&writer)
    case .autopilot(let request): request.encode(&writer)
    case .accessControl(let command): command.encode(&writer)
    case .certificateAuthority(let request): request.encode(&writer)
    case .leafIndex(let request): request.encode(&writer)
    case .intention(let request): request.encode(&writer)
    case .configEntry(let request): request.encode(&writer)
    case .ignored: writer.null()
    }
    return [type] + writer.bytes
  }

  /// - Throws: `StateError.unknownCommand`, `.malformedCommand` or `.emptyCommand`. A server must not go on without a
  ///   command that it cannot read: its state would differ from that of the others.
  public init(decoding bytes: UnsafeRawBufferPointer) throws(StateError) {
    guard let first = bytes.first else { throw .emptyCommand }
    let type = first & ~Self.ignoreFlag
    var reader = MessagePackReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
    do throws(MessagePackError) {
      switch type {
      case 0: self = .register(try RegisterRequest(from: &reader))
      case 1: self = .deregister(try DeregisterRequest(from: &reader))
      case 2: self = .kvs(try KVSRequest(from: &reader))
      case 3: self = .session(try SessionRequest(from: &reader))
      case 5: self = .tombstone(try TombstoneRequest(from: &reader))
      case 6: self = .coordinates(try [NodeCoordinate](from: &reader))
      case 7: self = .preparedQuery(try PreparedQueryRequest(from: &reader))
      case 8: self = .txn(try TxnRequest(from: &reader))
      case 9: self = .autopilot(try AutopilotSetConfigRequest(from: &reader))
      case 12: self = .intention(try IntentionRequest(from: &reader))
      case 13: self = .certificateAuthority(try CARequest(from: &reader))
      case 21: self = .leafIndex(try CALeafRequest(from: &reader))
      case 22: self = .configEntry(try ConfigEntryRequest(from: &reader))
      default:
        if let command = try AccessControlCommand(type: type, &reader) {
          self = .accessControl(command)
        } else {
          self = .ignored(type: type)
        }
      }
    } catch {
      throw .malformedCommand(type: type, error)
    }
    if case .ignored = self, first & Self.ignoreFlag == 0 { throw .unknownCommand(type: type) }
  }

  public init(decoding bytes: some Collection<UInt8>) throws(StateError) {
    let result: Result<Command, StateError> = Array(bytes).withUnsafeBytes { buffer in
      do throws(StateError) { return .success(try Command(decoding: buffer)) } catch { return .failure(error) }
    }
    self = try result.get()
  }
}
