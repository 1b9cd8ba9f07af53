import Consensus
import Model

// The messages of consensus as they travel (wire/raft.md, part A). Fields of the header are part of every message; identities
// and addresses are bytes.

/// An entry of the log.
struct RaftLogRecord: Record {
  var index: UInt64 = 0
  var term: UInt64 = 0
  var type: UInt32 = 0
  var data = Bytes()
  var extensions = Bytes()
  var appendedAt = Timestamp()

  init() {}

  static let schema = Schema<RaftLogRecord>("raft.Log") {
    $0.field("Index", \.index)
    $0.field("Term", \.term)
    $0.field("Type", \.type)
    $0.field("Data", \.data)
    $0.field("Extensions", \.extensions)
    $0.field("AppendedAt", \.appendedAt)
  }
}

/// The entries of an append: nil in a heartbeat, otherwise a list that may be empty.
struct RaftLogRecords: FieldValue {
  var elements: [RaftLogRecord]?

  init(_ elements: [RaftLogRecord]? = nil) { self.elements = elements }

  var isEmptyValue: Bool { elements == nil }
  func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { elements.encodeJSON(&writer, options) }
  func encode(_ writer: inout MessagePackWriter) {
    guard let elements else { return writer.null() }
    writer.arrayHeader(elements.count)
    for element in elements { element.encode(&writer) }
  }
  init(from reader: inout MessagePackReader) throws(MessagePackError) {
    elements = try reader.skipNull() ? nil : [RaftLogRecord](from: &reader)
  }
  init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    elements = try [RaftLogRecord](from: value, context)
  }
  var selected: Selected { .absent }
  static var shape: Shape { .hidden }
}

/// A number that may be negative: this profile writes such numbers in signed formats, however large they are.
struct RaftSigned: FieldValue {
  var value: Int64

  init(_ value: Int64 = 0) { self.value = value }

  var isEmptyValue: Bool { value == 0 }
  func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { writer.integer(value) }
  func encode(_ writer: inout MessagePackWriter) {
    switch value {
    case ..<128: writer.integer(value)
    case ...Int64(Int16.max): writer.raw([0xD1] + value.bigEndianBytes.suffix(2))
    case ...Int64(Int32.max): writer.raw([0xD2] + value.bigEndianBytes.suffix(4))
    default: writer.raw([0xD3] + value.bigEndianBytes)
    }
  }
  init(from reader: inout MessagePackReader) throws(MessagePackError) { value = try reader.integer() }
  init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self.value = try Int64(from: value, context)
  }
  var selected: Selected { .int(value) }
  static var shape: Shape { .int }
}

extension Int64 {
  fileprivate var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}

/// What every message begins with.
struct RaftHeaderRecord: Record {
  var protocolVersion = 0
  var id = Bytes()
  var address = Bytes()

  init() {}
  init(_ header: RaftHeader) {
    protocolVersion = header.protocolVersion
    id = Bytes(Array(header.id.utf8))
    address = Bytes(Array(header.address.utf8))
  }

  var header: RaftHeader {
    RaftHeader(protocolVersion: protocolVersion, id: id.text, address: address.text)
  }

  static let schema = Schema<RaftHeaderRecord>("raft.RPCHeader") {
    $0.field("ProtocolVersion", \.protocolVersion)
    $0.field("ID", \.id)
    $0.field("Addr", \.address)
  }
}

extension Bytes {
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

struct RaftAppendRecord: Record {
  var header = RaftHeaderRecord()
  var term: UInt64 = 0
  /// The leader's address, where older releases look for it.
  var leader = Bytes()
  var previousIndex: UInt64 = 0
  var previousTerm: UInt64 = 0
  var entries = RaftLogRecords()
  var commitIndex: UInt64 = 0

  init() {}

  static let schema = Schema<RaftAppendRecord>("raft.AppendEntriesRequest") {
    $0.embed(\.header)
    $0.field("Term", \.term)
    $0.field("Leader", \.leader)
    $0.field("PrevLogEntry", \.previousIndex)
    $0.field("PrevLogTerm", \.previousTerm)
    $0.field("Entries", \.entries)
    $0.field("LeaderCommitIndex", \.commitIndex)
  }
}

struct RaftAppendAnswer: Record {
  var header = RaftHeaderRecord()
  var term: UInt64 = 0
  var lastLog: UInt64 = 0
  var success = false
  var noRetryBackoff = false

  init() {}

  static let schema = Schema<RaftAppendAnswer>("raft.AppendEntriesResponse") {
    $0.embed(\.header)
    $0.field("Term", \.term)
    $0.field("LastLog", \.lastLog)
    $0.field("Success", \.success)
    $0.field("NoRetryBackoff", \.noRetryBackoff)
  }
}

struct RaftVoteRecord: Record {
  var header = RaftHeaderRecord()
  var term: UInt64 = 0
  var candidate = Bytes()
  var lastLogIndex: UInt64 = 0
  var lastLogTerm: UInt64 = 0
  var leadershipTransfer = false

  init() {}

  static let schema = Schema<RaftVoteRecord>("raft.RequestVoteRequest") {
    $0.embed(\.header)
    $0.field("Term", \.term)
    $0.field("Candidate", \.candidate)
    $0.field("LastLogIndex", \.lastLogIndex)
    $0.field("LastLogTerm", \.lastLogTerm)
    $0.field("LeadershipTransfer", \.leadershipTransfer)
  }
}

struct RaftVoteAnswer: Record {
  var header = RaftHeaderRecord()
  var term: UInt64 = 0
  /// Of older releases; always nil.
  var peers = Bytes()
  var granted = false

  init() {}

  static let schema = Schema<RaftVoteAnswer>("raft.RequestVoteResponse") {
    $0.embed(\.header)
    $0.field("Term", \.term)
    $0.field("Peers", \.peers)
    $0.field("Granted", \.granted)
  }
}

struct RaftPreVoteRecord: Record {
  var header = RaftHeaderRecord()
  var term: UInt64 = 0
  var lastLogIndex: UInt64 = 0
  var lastLogTerm: UInt64 = 0

  init() {}

  static let schema = Schema<RaftPreVoteRecord>("raft.RequestPreVoteRequest") {
    $0.embed(\.header)
    $0.field("Term", \.term)
    $0.field("LastLogIndex", \.lastLogIndex)
    $0.field("LastLogTerm", \.lastLogTerm)
  }
}

struct RaftPreVoteAnswer: Record {
  var header = RaftHeaderRecord()
  var term: UInt64 = 0
  var granted = false

  init() {}

  static let schema = Schema<RaftPreVoteAnswer>("raft.RequestPreVoteResponse") {
    $0.embed(\.header)
    $0.field("Term", \.term)
    $0.field("Granted", \.granted)
  }
}

struct RaftInstallRecord: Record {
  var header = RaftHeaderRecord()
  var snapshotVersion = 0
  var term: UInt64 = 0
  var leader = Bytes()
  var lastLogIndex: UInt64 = 0
  var lastLogTerm: UInt64 = 0
  /// The addresses of the voters, for older releases.
  var peers = Bytes()
  var configuration = Bytes()
  var configurationIndex: UInt64 = 0
  /// Bytes that follow.
  var size = RaftSigned()

  init() {}

  static let schema = Schema<RaftInstallRecord>("raft.InstallSnapshotRequest") {
    $0.embed(\.header)
    $0.field("SnapshotVersion", \.snapshotVersion)
    $0.field("Term", \.term)
    $0.field("Leader", \.leader)
    $0.field("LastLogIndex", \.lastLogIndex)
    $0.field("LastLogTerm", \.lastLogTerm)
    $0.field("Peers", \.peers)
    $0.field("Configuration", \.configuration)
    $0.field("ConfigurationIndex", \.configurationIndex)
    $0.field("Size", \.size)
  }
}

struct RaftInstallAnswer: Record {
  /// Left empty by servers.
  var header = RaftHeaderRecord()
  var term: UInt64 = 0
  var success = false

  init() {}

  static let schema = Schema<RaftInstallAnswer>("raft.InstallSnapshotResponse") {
    $0.embed(\.header)
    $0.field("Term", \.term)
    $0.field("Success", \.success)
  }
}
