import Consensus
import Foundation
import Model
import NIOCore
import Testing

@testable import Server

/// Connections as the reference had them. They lie beside the project.
enum RecordedConnection {
  static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "../shared/golden").standardizedFileURL

  static let isPresent = FileManager.default.fileExists(atPath: folder.appending(path: "rpc/client-agent.json").path)

  static func bytes(_ name: String) throws -> (client: [UInt8], server: [UInt8], decoded: [String: Any]) {
    let data = try Data(contentsOf: folder.appending(path: "\(name).json"))
    let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    func bytes(_ key: String) -> [UInt8] {
      let digits = Array((object[key] as? String ?? "").utf8)
      return stride(from: 0, to: digits.count - 1, by: 2).map { place in
        func value(_ digit: UInt8) -> UInt8 { digit <= 0x39 ? digit &- 0x30 : (digit | 0x20) &- 0x57 }
        return value(digits[place]) << 4 | value(digits[place + 1])
      }
    }
    return (bytes("client_hex"), bytes("server_hex"), object["decoded"] as? [String: Any] ?? [:])
  }
}

/// A generator that repeats its numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

@Suite struct RaftCodingTests {
  private static let from = RaftHeader(id: "s1", address: "127.0.0.1:8300")

  @Test func aPreVoteRequestIsWrittenAsTheReferenceDoes() {
    let request = RaftRequest.requestPreVote(RequestPreVoteRequest(term: 2, lastLogIndex: 300, lastLogTerm: 1))
    var expected: [UInt8] = [4, 0x86, 0xA4] + Array("Addr".utf8) + [0xAE] + Array("127.0.0.1:8300".utf8)
    expected += [0xA2] + Array("ID".utf8) + [0xA2] + Array("s1".utf8)
    expected += [0xAC] + Array("LastLogIndex".utf8) + [0xCD, 1, 44] + [0xAB] + Array("LastLogTerm".utf8) + [1]
    expected += [0xAF] + Array("ProtocolVersion".utf8) + [3, 0xA4] + Array("Term".utf8) + [2]
    #expect(request.encoded(from: Self.from) == expected)
  }

  @Test func signedNumbersAreWrittenInSignedFormats() {
    let cases: [(Int64, [UInt8])] = [
      (0, [0]), (127, [0x7F]), (128, [0xD1, 0, 0x80]), (65535, [0xD2, 0, 0, 0xFF, 0xFF]), (-1, [0xFF]),
      (1 << 32, [0xD3, 0, 0, 0, 1, 0, 0, 0, 0]),
    ]
    for (value, bytes) in cases {
      var writer = MessagePackWriter()
      RaftSigned(value).encode(&writer)
      #expect(writer.bytes == bytes)
    }
  }

  @Test func messagesAreTheSameAgainAfterTheirJourney() throws {
    let entries = [
      LogEntry(
        index: 5, term: 2, kind: .command, data: [1, 2], extensions: [3],
        appendedAt: WallTime(seconds: 5, nanoseconds: 6)),
      LogEntry(index: 6, term: 2, kind: .noop),
    ]
    let configuration = RaftConfiguration(servers: [RaftServer(id: "s1", address: "a:1")])
    let requests: [RaftRequest] = [
      .appendEntries(AppendEntriesRequest(term: 3)),
      .appendEntries(AppendEntriesRequest(term: 3, previousIndex: 4, previousTerm: 2, leaderCommitIndex: 4)),
      .appendEntries(
        AppendEntriesRequest(term: 3, previousIndex: 4, previousTerm: 2, entries: entries, leaderCommitIndex: 4)),
      .requestVote(RequestVoteRequest(term: 3, lastLogIndex: 9, lastLogTerm: 2, leadershipTransfer: true)),
      .requestPreVote(RequestPreVoteRequest(term: 3, lastLogIndex: 9, lastLogTerm: 2)),
      .installSnapshot(
        InstallSnapshotRequest(
          term: 3, lastLogIndex: 9, lastLogTerm: 2, configuration: configuration, configurationIndex: 1, size: 70000)),
      .timeoutNow,
    ]
    for request in requests {
      let bytes = request.encoded(from: Self.from)
      let decoded = try RaftRequest.decode(request.type, ByteBuffer(bytes: bytes.dropFirst()))
      #expect(decoded.request == request)
      #expect(decoded.from == Self.from)
    }
  }

  // MARK: Recorded

  @Test(
    .enabled(if: RecordedConnection.isPresent, "the recorded connections are not beside the project"),
    arguments: [
      "heartbeat", "lib-chunked", "lib-installsnapshot", "lib-timeoutnow", "lib-transfer-vote", "reelection-1",
      "vote-1", "vote-2",
    ])
  func recordedConnectionsAreUnderstoodAndWrittenAgain(name: String) throws {
    let recorded = try RecordedConnection.bytes("raft/\(name)")
    let exchanges = try #require(recorded.decoded["exchanges"] as? [[String: Any]])
    var types: [RaftRequestType] = []
    var reader = RaftStreamReader()
    reader.append(ByteBuffer(bytes: recorded.client.dropFirst()))
    while let byte = reader.byte() {
      let type = try #require(RaftRequestType(rawValue: byte))
      let expected = (exchanges[types.count]["request"] as? [String: Any])?["rpc"] as? String
      #expect("\(type)".lowercased() == expected?.lowercased())
      types.append(type)
      let body = try #require(try reader.value())
      let (request, from) = try RaftRequest.decode(type, body)
      let again = Array(request.encoded(from: from).dropFirst())
      #expect(again == Self.inUTC(Array(body.readableBytesView)), "request \(types.count)")
      if case .installSnapshot(let install) = request {
        var missing = install.size
        while missing > 0, let piece = reader.content(missing) { missing -= Int64(piece.readableBytes) }
        #expect(missing == 0)
      }
    }
    #expect(types.count == exchanges.count)
    var answers = RaftStreamReader()
    answers.append(ByteBuffer(bytes: recorded.server))
    for type in types {
      guard let error = try answers.value(), let body = try answers.value() else { break }
      #expect(try String(decoding: error) == "")
      let response = try RaftResponse.decode(type, body)
      let from = try RaftHeaderRecord(decoding: body).header
      #expect(response.encoded(from: from).dropFirst().elementsEqual(body.readableBytesView))
    }
  }

  /// The recordings were made on a machine whose local time zone had no offset; times are compared in UTC.
  private static func inUTC(_ bytes: [UInt8]) -> [UInt8] {
    let key = Array("AppendedAt".utf8)
    var bytes = bytes
    var place = 0
    while place + key.count + 16 <= bytes.count {
      if bytes[place] == key[0], bytes[place..<place + key.count].elementsEqual(key) {
        bytes[(place + key.count + 14)...(place + key.count + 15)] = [0xFF, 0xFF]
      }
      place += 1
    }
    return bytes
  }

  @Test(arguments: 0..<300 as Range<UInt64>) func randomBytesAreAnError(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let request = RaftRequest.appendEntries(
      AppendEntriesRequest(
        term: 3, previousIndex: 4, previousTerm: 2,
        entries: (0..<3).map {
          LogEntry(index: 5 + $0, term: 2, kind: .command, data: [UInt8](repeating: 7, count: 40))
        }))
    var bytes = Array(request.encoded(from: Self.from).dropFirst())
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
    }
    for type in [RaftRequestType.appendEntries, .requestVote, .installSnapshot, .timeoutNow, .requestPreVote] {
      _ = try? RaftRequest.decode(type, ByteBuffer(bytes: bytes))
      _ = try? RaftResponse.decode(type, ByteBuffer(bytes: bytes))
    }
    var reader = RaftStreamReader()
    reader.append(ByteBuffer(bytes: bytes))
    while let value = try? reader.value() { #expect(value.readableBytes <= bytes.count, "seed \(seed)") }
  }
}
