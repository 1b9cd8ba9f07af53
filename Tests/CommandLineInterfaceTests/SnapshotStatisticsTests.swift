import Model
import Testing
import Wire

@testable import CommandLineInterface

@Suite struct SnapshotStatisticsTests {
  @Test(arguments: [
    (0, "0B"), (559, "559B"), (1023, "1023B"), (1024, "1KB"), (2253, "2.2KB"), (6133, "6KB"), (5 << 20, "5MB"),
    (4_625_420_898, "4.3GB"),
  ])
  func sizesHaveOneDecimalAtMost(count: Int, text: String) {
    #expect(SnapshotStatistics.byteSize(count) == text)
  }

  @Test func recordsAreCountedByTypeAndKeysByFolder() throws {
    var stream = MessagePackWriter()
    stream.mapHeader(1)
    stream.string("LastIndex")
    stream.integer(5)
    for key in ["dir/a/x", "dir/a/y", "dir/b", "other"] {
      var entry = KVEntry()
      entry.key = key
      stream.raw([2])
      entry.encode(&stream)
    }
    stream.raw([29])
    stream.mapHeader(0)
    let statistics = SnapshotStatistics(groupsKeys: true, depth: 2, prefix: "dir/")
    var reader = SnapshotRecordReader()
    try stream.bytes.withUnsafeBytes { try reader.consume($0) { statistics.add($0) } }
    try reader.finish { _ in }
    let lines = statistics.table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let total = SnapshotStatistics.byteSize(stream.bytes.count)
    #expect(lines.contains(["Total", total]))
    #expect(lines.contains { $0.prefix(2) == ["KVS", "4"] })
    #expect(lines.contains(["ChunkingState", "1", "2B"]))
    #expect(lines.contains { $0.prefix(2) == ["dir/a", "2"] })
    #expect(lines.contains { $0.prefix(2) == ["dir/b", "1"] })
    #expect(!lines.contains { $0.first == "other" })
  }
}
