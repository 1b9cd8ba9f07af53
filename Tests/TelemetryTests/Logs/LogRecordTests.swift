import Model
import Testing

@testable import Telemetry

@Test(arguments: [
  ("TRACE", LogLevel.trace), ("debug", .debug), ("Info", .info), ("WARN", .warn), ("ERR", .error), ("ERROR", .error),
])
func levelNamesAreReadWithoutRegardToCase(name: String, level: LogLevel) {
  #expect(LogLevel(name) == level)
}

@Test func unknownLevelNameIsNoLevel() { #expect(LogLevel("loud") == nil) }

private let record = LogRecord(
  level: .warn, name: "agent.dns", message: "Slow", fields: [("address", "127.0.0.1:8600"), ("why", "a \"b\"\n")],
  time: 1_700_000_000_012_345_678)

@Test func lineShowsTimeLevelNameMessageAndFields() {
  #expect(
    record.line == #"2023-11-14T22:13:20.012Z [WARN]  agent.dns: Slow: address=127.0.0.1:8600 why="a \"b\"\n""#)
}

@Test func jsonLineEscapesTexts() {
  #expect(
    record.json
      == #"{"@level":"warn","@message":"Slow","@module":"agent.dns","@timestamp":"2023-11-14T22:13:20.012345Z","address":"127.0.0.1:8600","why":"a \"b\"\n"}"#
  )
}

@Test func sinksReceiveRecordsFromTheirLevelUp() {
  final class Collector: LogSink {
    let level = LogLevel.info
    let lines = Lines()
    func write(_ record: LogRecord) { lines.add(record.message) }
  }
  let collector = Collector()
  LogOutput.shared.add(collector)
  defer { LogOutput.shared.remove(collector) }
  let logger = LogOutput.logger("test.sinks")
  logger.debug("too low")
  logger.info("kept")
  logger.error("kept, too")
  #expect(collector.lines.all == ["kept", "kept, too"])
}

import Synchronization

private final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  func add(_ line: String) { lines.withLock { $0.append(line) } }
  var all: [String] { lines.withLock { $0 } }
}
