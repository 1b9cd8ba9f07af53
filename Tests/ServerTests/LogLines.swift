import Logging
import Synchronization

/// Keeps what is logged, from level `info` on.
final class LogLines: Sendable {
  private let kept = Mutex<[String]>([])

  /// Level, message and fields of each record, in their order.
  var lines: [String] { kept.withLock { $0 } }

  var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

  private struct Handler: LogHandler {
    let log: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let fields = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
      log.kept.withLock { $0.append((["\(event.level) \(event.message)"] + fields).joined(separator: " ")) }
    }
  }
}
