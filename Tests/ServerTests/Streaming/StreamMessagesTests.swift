import Foundation
import GRPC
import Model
import NIOCore
import Testing

@testable import Server
@testable import State

/// The subscription that an agent of the reference made, and what it was told.
@Suite(.enabled(if: RecordedConnection.isPresent, "the recorded connections are not beside the project"))
struct RecordedSubscriptionTests {
  static func messages(_ side: String) throws -> [[UInt8]] {
    let decoded = try RecordedConnection.bytes("rpc/grpc-2").decoded
    let frames = decoded[side] as? [[String: Any]] ?? []
    let messages = frames.flatMap { $0["messages"] as? [[String: Any]] ?? [] }
    return messages.compactMap { ($0["protobuf"] as? String).map(bytes) }
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
  }

  @Test func theRequestIsReadAndWrittenAgainByteForByte() throws {
    let recorded = try #require(try Self.messages("client").first)
    let request = try SubscribeRequest(protobuf: recorded)
    #expect(request.topic == StreamTopic.serviceHealth.rawValue)
    #expect(request.namedSubject?.key == "web")
    #expect(request.datacenter == "dc1")
    #expect(request.index == 0)
    #expect(try SubscribeService.subject(request) == .health("web", connect: false))
    #expect(request.protobuf() == recorded)
  }

  /// Maps have no order of their own: of the bytes only the number is the same, and what they mean.
  @Test func everyEventIsReadAndWrittenAgain() throws {
    let recorded = try Self.messages("server")
    #expect(recorded.count == 4)
    for bytes in recorded {
      let event = try StreamEvent(protobuf: bytes)
      let again = event.protobuf()
      #expect(again.count == bytes.count)
      #expect(try StreamEvent(protobuf: again) == event)
      #expect(again.sorted() == bytes.sorted())
    }
  }

  @Test func aViewThatIsToldTheRecordedEventsShowsWhatTheServersHad() throws {
    var view = HealthView()
    view.subscribed()
    var shown: [(index: UInt64, statuses: [String])] = []
    for bytes in try Self.messages("server") {
      guard view.receive(try StreamEvent(protobuf: bytes)) else { continue }
      shown.append((view.index, view.instances.flatMap { $0.checks.map(\.value.status) }))
    }
    #expect(shown.map(\.index) == [33, 63, 70])
    #expect(
      shown.map(\.statuses) == [["passing", "critical", "passing"], ["passing", "critical", "critical"], []])
  }

  /// What a server of ours says of the same state.
  @Test func theSameStateIsToldInTheSameFields() throws {
    let recorded = try Self.messages("server").map { try StreamEvent(protobuf: $0) }
    let versions = recorded.compactMap { $0.serviceHealth?.instance?.instance }
    let (registered, changed) = (versions[0], versions[1])
    let first = TopicContent.instances([registered])
    let second = TopicContent.instances([changed])
    let frames = StreamFrames.snapshot(33, first.updates)
    #expect(try events(frames) == Array(recorded[0...1]))
    let change = try #require(PublishedEvent(63, second.updates(since: first)))
    #expect(try events([change.frame]) == [recorded[2]])
    let end = try #require(PublishedEvent(70, TopicContent.instances([]).updates(since: second)))
    #expect(try events([end.frame]) == [recorded[3]])
  }

  private func events(_ frames: [ByteBuffer]) throws -> [StreamEvent] {
    var decoder = GRPCMessageDecoder(bytesMax: 1 << 20)
    return try frames.flatMap { frame in
      decoder.append(frame)
      var events: [StreamEvent] = []
      while let message = try decoder.next() { events.append(try StreamEvent(message)) }
      return events
    }
  }
}

extension StreamEvent: Equatable {
  public static func == (a: StreamEvent, b: StreamEvent) -> Bool {
    a.index == b.index && a.endOfSnapshot == b.endOfSnapshot && a.newSnapshotToFollow == b.newSnapshotToFollow
      && a.batch?.events == b.batch?.events && a.serviceHealth?.op == b.serviceHealth?.op
      && a.serviceHealth?.instance == b.serviceHealth?.instance && a.service?.op == b.service?.op
      && a.service?.name == b.service?.name
  }
}
