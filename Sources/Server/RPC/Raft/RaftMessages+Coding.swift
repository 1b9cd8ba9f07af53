import Consensus
import Model
import NIOCore

/// The byte in front of a request that tells what it is.
enum RaftRequestType: UInt8, Sendable {
  case appendEntries = 0
  case requestVote = 1
  case installSnapshot = 2
  case timeoutNow = 3
  case requestPreVote = 4
}

extension RaftRequest {
  var type: RaftRequestType {
    switch self {
    case .appendEntries: .appendEntries
    case .requestVote: .requestVote
    case .requestPreVote: .requestPreVote
    case .installSnapshot: .installSnapshot
    case .timeoutNow: .timeoutNow
    }
  }

  /// The request as it travels, type byte included.
  func encoded(from header: RaftHeader) -> [UInt8] {
    var writer = MessagePackWriter()
    writer.raw([type.rawValue])
    let from = RaftHeaderRecord(header)
    switch self {
    case .appendEntries(let request): RaftAppendRecord(request, from).encode(&writer)
    case .requestVote(let request):
      var record = RaftVoteRecord()
      record.header = from
      record.candidate = from.address
      record.term = request.term
      record.lastLogIndex = request.lastLogIndex
      record.lastLogTerm = request.lastLogTerm
      record.leadershipTransfer = request.leadershipTransfer
      record.encode(&writer)
    case .requestPreVote(let request):
      var record = RaftPreVoteRecord()
      record.header = from
      record.term = request.term
      record.lastLogIndex = request.lastLogIndex
      record.lastLogTerm = request.lastLogTerm
      record.encode(&writer)
    case .installSnapshot(let request): RaftInstallRecord(request, from).encode(&writer)
    case .timeoutNow: from.encode(&writer)
    }
    return writer.bytes
  }

  /// - Throws: `MessagePackError` for bytes that are no such request, `ConfigurationDecodingError` for a snapshot whose
  ///   configuration makes no sense.
  static func decode(_ type: RaftRequestType, _ body: ByteBuffer) throws -> (request: RaftRequest, from: RaftHeader) {
    switch type {
    case .appendEntries:
      let record = try RaftAppendRecord(decoding: body)
      return (.appendEntries(try record.request()), record.header.header)
    case .requestVote:
      let record = try RaftVoteRecord(decoding: body)
      var from = record.header.header
      // Releases before protocol 3 name themselves only here.
      if from.address.isEmpty { from.address = record.candidate.text }
      let request = RequestVoteRequest(
        term: record.term, lastLogIndex: record.lastLogIndex, lastLogTerm: record.lastLogTerm,
        leadershipTransfer: record.leadershipTransfer)
      return (.requestVote(request), from)
    case .requestPreVote:
      let record = try RaftPreVoteRecord(decoding: body)
      let request = RequestPreVoteRequest(
        term: record.term, lastLogIndex: record.lastLogIndex, lastLogTerm: record.lastLogTerm)
      return (.requestPreVote(request), record.header.header)
    case .installSnapshot:
      let record = try RaftInstallRecord(decoding: body)
      return (.installSnapshot(try record.request()), record.header.header)
    case .timeoutNow: return (.timeoutNow, try RaftHeaderRecord(decoding: body).header)
    }
  }
}

extension RaftAppendRecord {
  init(_ request: AppendEntriesRequest, _ from: RaftHeaderRecord) {
    header = from
    leader = from.address
    term = request.term
    previousIndex = request.previousIndex
    previousTerm = request.previousTerm
    commitIndex = request.leaderCommitIndex
    entries = RaftLogRecords(request.isHeartbeat ? nil : request.entries.map { RaftLogRecord($0) })
  }

  func request() throws(MessagePackError) -> AppendEntriesRequest {
    var logs: [LogEntry] = []
    let records = entries.elements ?? []
    logs.reserveCapacity(records.count)
    for record in records { logs.append(try record.entry()) }
    return AppendEntriesRequest(
      term: term, previousIndex: previousIndex, previousTerm: previousTerm, entries: logs,
      leaderCommitIndex: commitIndex)
  }
}

extension RaftLogRecord {
  init(_ entry: LogEntry) {
    index = entry.index
    term = entry.term
    type = UInt32(entry.kind.rawValue)
    data = Bytes(entry.data)
    extensions = Bytes(entry.extensions)
    appendedAt = Timestamp(
      unixSeconds: entry.appendedAt.seconds, nanoseconds: Int32(clamping: entry.appendedAt.nanoseconds))
  }

  func entry() throws(MessagePackError) -> LogEntry {
    guard type <= UInt8.max, let kind = LogEntry.Kind(rawValue: UInt8(type)) else { throw .outOfRange(offset: 0) }
    return LogEntry(
      index: index, term: term, kind: kind, data: data.bytes, extensions: extensions.bytes,
      appendedAt: WallTime(
        seconds: appendedAt.unixSeconds, nanoseconds: UInt32(clamping: appendedAt.nanoseconds)))
  }
}

extension RaftInstallRecord {
  init(_ request: InstallSnapshotRequest, _ from: RaftHeaderRecord) {
    header = from
    leader = from.address
    snapshotVersion = request.snapshotVersion
    term = request.term
    lastLogIndex = request.lastLogIndex
    lastLogTerm = request.lastLogTerm
    configuration = Bytes(request.configuration.encoded())
    configurationIndex = request.configurationIndex
    size = RaftSigned(request.size)
    var voters = MessagePackWriter()
    voters.arrayHeader(request.configuration.voters.count)
    for voter in request.configuration.voters { voters.string(voter.address) }
    peers = Bytes(voters.bytes)
  }

  func request() throws -> InstallSnapshotRequest {
    InstallSnapshotRequest(
      snapshotVersion: snapshotVersion, term: term, lastLogIndex: lastLogIndex, lastLogTerm: lastLogTerm,
      configuration: try RaftConfiguration(decoding: configuration.bytes), configurationIndex: configurationIndex,
      size: size.value)
  }
}

// MARK: Answers

extension RaftResponse {
  /// The answer as it travels: an error text, which is "" here, and the struct.
  func encoded(from header: RaftHeader) -> [UInt8] {
    var writer = MessagePackWriter()
    writer.string("")
    let from = RaftHeaderRecord(header)
    switch self {
    case .appendEntries(let response):
      var record = RaftAppendAnswer()
      record.header = from
      record.term = response.term
      record.lastLog = response.lastLog
      record.success = response.success
      record.noRetryBackoff = response.noRetryBackoff
      record.encode(&writer)
    case .requestVote(let response):
      var record = RaftVoteAnswer()
      record.header = from
      record.term = response.term
      record.granted = response.granted
      record.encode(&writer)
    case .requestPreVote(let response):
      var record = RaftPreVoteAnswer()
      record.header = from
      record.term = response.term
      record.granted = response.granted
      record.encode(&writer)
    case .installSnapshot(let response):
      var record = RaftInstallAnswer()
      record.term = response.term
      record.success = response.success
      record.encode(&writer)
    case .timeoutNow: RaftHeaderRecord().encode(&writer)
    }
    return writer.bytes
  }

  /// The answer to a request that cannot be carried out.
  static func refusal(_ text: String) -> [UInt8] {
    var writer = MessagePackWriter()
    writer.string(text)
    writer.null()
    return writer.bytes
  }

  static func decode(_ type: RaftRequestType, _ body: ByteBuffer) throws(MessagePackError) -> RaftResponse {
    switch type {
    case .appendEntries:
      let record = try RaftAppendAnswer(decoding: body)
      return .appendEntries(
        AppendEntriesResponse(
          term: record.term, lastLog: record.lastLog, success: record.success, noRetryBackoff: record.noRetryBackoff))
    case .requestVote:
      let record = try RaftVoteAnswer(decoding: body)
      return .requestVote(VoteResponse(term: record.term, granted: record.granted))
    case .requestPreVote:
      let record = try RaftPreVoteAnswer(decoding: body)
      return .requestPreVote(VoteResponse(term: record.term, granted: record.granted))
    case .installSnapshot:
      let record = try RaftInstallAnswer(decoding: body)
      return .installSnapshot(InstallSnapshotResponse(term: record.term, success: record.success))
    case .timeoutNow: return .timeoutNow
    }
  }
}
