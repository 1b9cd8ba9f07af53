import Foundation
import Testing

@testable import Telemetry

@Test(arguments: [
  ("/var/log/", "/var/log/consul-7.log"), ("/var/log/agent", "/var/log/agent-7.log"),
  ("/var/log/agent.txt", "/var/log/agent-7.txt"), ("agent.log", "./agent-7.log"), ("/agent", "/agent-7.log"),
])
func filesAreNamedAfterTheirBeginning(path: String, expected: String) {
  #expect(LogFileNames(path).path(start: 7) == expected)
}

@Test func onlyFilesOfTheLogCount() {
  let names = LogFileNames("/var/log/consul.log")
  #expect(
    names.ours([
      "consul-10.log", "consul-9.log", "consul.log", "consul-.log", "consul-x.log", "consul-1.txt", "b-1.log",
    ])
      == ["consul-9.log", "consul-10.log"])
}

@Test(arguments: [
  (LogRotation(), 1 << 40, 0, false), (LogRotation(), 0, 86_400_000_000_000, true),
  (LogRotation(sizeLimit: 10), 9, 0, false), (LogRotation(sizeLimit: 10), 10, 0, true),
  (LogRotation(ageLimit: 5), 0, 4, false), (LogRotation(ageLimit: 5), 0, 5, true),
])
func filesEndBySizeOrAge(rotation: LogRotation, size: Int, age: Int64, isOver: Bool) {
  #expect(rotation.isOver(size: size, start: 1000, now: 1000 + age) == isOver)
}

@Test(arguments: [(0, []), (-1, ["a", "b", "c"]), (1, ["a", "b"]), (2, ["a"]), (5, [String]())])
func oldFilesGo(kept: Int, removed: [String]) {
  #expect(LogRotation(keptFiles: kept).obsolete(["a", "b", "c"]) == removed)
}

@Test func sinkWritesAndRotates() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UUID())")
  defer { try? FileManager.default.removeItem(at: folder) }
  let sink = try FileSink(
    path: folder.path + "/agent.log", rotation: LogRotation(sizeLimit: 60, keptFiles: 1), level: .info, json: false)
  for number in 0..<6 {
    sink.write(LogRecord(level: .info, name: "agent", message: "line \(number)", fields: [], time: 1))
  }
  let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
  #expect(files.count == 2)
  let texts = try files.map { try String(contentsOfFile: folder.path + "/" + $0, encoding: .utf8) }
  #expect(texts.last?.contains("line 5") == true)
  #expect(texts.joined().contains("line 0") == false)
}

@Test func sinkThatCannotWriteSaysSo() {
  #expect(throws: LogFileError.self) {
    try FileSink(path: "/proc/none/agent.log", rotation: LogRotation(), level: .info, json: false)
  }
}

@Test func facilitiesOfTheSystemLogAreKnownByName() {
  #expect(SyslogSink(facility: "local0", level: .info, json: false) != nil)
  #expect(SyslogSink(facility: "LOCAL9", level: .info, json: false) == nil)
}
