import Model
import Testing

@testable import ConsulClient

@Suite struct RemoteJobTests {
  private static let place = RemoteJob.Place(prefix: "_rexec", session: "s1")

  @Test func jobsAndTheirNoticesSurviveTheWay() throws {
    var job = RemoteJob()
    job.command = "uptime | tr a b"
    job.script = [0, 255, 10]
    job.arguments = ["a", "b c"]
    job.wait = .seconds(3)
    #expect(try RemoteJob(job.encoded) == job)
    #expect(RemoteJob.Place(payload: Self.place.payload) == Self.place)
    #expect(RemoteJob.Place(payload: Array("{}".utf8)) == nil)
    #expect(throws: ClientError.self) { try RemoteJob(Array("[1".utf8)) }
  }

  @Test(arguments: [
    ("_rexec/s1/n1/ack", "", RemoteJob.Answer.begun(node: "n1")),
    ("_rexec/s1/n1/out/00000", "hi\n", .output(node: "n1", Array("hi\n".utf8))),
    ("_rexec/s1/n1/exit", "3", .ended(node: "n1", code: 3)), ("_rexec/s1/n1/exit", "x", nil),
    ("_rexec/s1/job", "{}", nil), ("_rexec/s2/n1/ack", "", nil), ("_rexec/s1/n1/ack/more", "", nil),
  ])
  func answersAreReadFromTheirKeys(key: String, value: String, answer: RemoteJob.Answer?) {
    #expect(RemoteJob.Answer(KVPair(key: key, value: Array(value.utf8)), in: Self.place) == answer)
  }

  @Test func progressTellsEachAnswerOnceAndKnowsWhoIsStillAtIt() {
    var progress = RemoteJobProgress()
    var pairs = [KVPair(key: "_rexec/s1/job"), KVPair(key: Self.place.ack("a")), KVPair(key: Self.place.ack("b"))]
    #expect(progress.take(pairs, in: Self.place) == [.begun(node: "a"), .begun(node: "b")])
    #expect(progress.isRunning)
    pairs += [KVPair(key: Self.place.exit("a"), value: [0x30]), KVPair(key: Self.place.exit("b"), value: [0x31])]
    #expect(progress.take(pairs, in: Self.place) == [.ended(node: "a", code: 0), .ended(node: "b", code: 1)])
    #expect(!progress.isRunning && progress.hasFailures)
    #expect(progress.take(pairs, in: Self.place).isEmpty)
  }
}
