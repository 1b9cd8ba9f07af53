import Logging
import Model
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Where log records go.
public protocol LogSink: AnyObject, Sendable {
  /// Called for every record at or above `level`, on the thread that logs: it must not block for long.
  func write(_ record: LogRecord)
  var level: LogLevel { get }
}

/// A sink whose level a reload of the configuration may change.
public protocol AdjustableLogSink: LogSink {
  var level: LogLevel { get set }
}

/// All sinks of the process. Records below the lowest level any sink wants are not even formatted.
public final class LogOutput: Sendable {
  public static let shared = LogOutput()

  private let sinks = Mutex<[any LogSink]>([])
  /// The lowest level that any sink wants, beside the lock because every request asks for it.
  private let threshold = Atomic<Int>(LogLevel.error.rawValue)

  public func add(_ sink: any LogSink) { change { $0.append(sink) } }

  public func remove(_ sink: any LogSink) { change { sinks in sinks.removeAll { $0 === sink } } }

  /// To be called after a sink's level changed.
  public func levelsChanged() { change { _ in } }

  private func change(_ body: (inout [any LogSink]) -> Void) {
    sinks.withLock { sinks in
      body(&sinks)
      threshold.store((sinks.map(\.level).min() ?? .error).rawValue, ordering: .relaxed)
    }
  }

  var lowestLevel: LogLevel { LogLevel(rawValue: threshold.load(ordering: .relaxed)) ?? .trace }

  func write(_ record: LogRecord) {
    let sinks = sinks.withLock { $0 }
    for sink in sinks where record.level >= sink.level { sink.write(record) }
  }

  /// Whether any sink wants records of that level.
  public func wants(_ level: LogLevel) -> Bool { level >= lowestLevel }

  /// Writes a record whose fields keep their order, which those of swift-log have none of.
  public func log(_ level: LogLevel, _ name: String, _ message: String, _ fields: KeyValuePairs<String, String>) {
    guard wants(level) else { return }
    write(
      LogRecord(
        level: level, name: name, message: message, fields: fields.map { (key: $0.key, value: $0.value) },
        time: WallClock.nanoseconds))
  }

  /// A logger that writes here under `name`.
  public static func logger(_ name: String) -> Logger {
    Logger(label: name) { OutputHandler(name: $0) }
  }
}

/// Hands swift-log's messages to `LogOutput`.
struct OutputHandler: LogHandler {
  let name: String
  var metadata: Logger.Metadata = [:]

  /// Levels belong to the sinks.
  var logLevel: Logger.Level {
    get { Logger.Level(LogOutput.shared.lowestLevel) }
    set {}
  }

  init(name: String) { self.name = name }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let level = LogLevel(event.level)
    let fields = metadata.merging(event.metadata ?? [:]) { $1 }.map { (key: $0.key, value: "\($0.value)") }
      .sorted { $0.key < $1.key }
    LogOutput.shared.write(
      LogRecord(
        level: level, name: name, message: "\(event.message)", fields: fields,
        time: WallClock.nanoseconds))
  }
}

/// Writes lines to a file descriptor: standard output, as a rule.
public final class DescriptorSink: AdjustableLogSink {
  private let descriptor: Int32
  private let json: Bool
  private let current: Mutex<LogLevel>
  private let order = Mutex(())

  public init(descriptor: Int32, level: LogLevel, json: Bool = false) {
    self.descriptor = descriptor
    self.json = json
    current = Mutex(level)
  }

  public var level: LogLevel {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  public func write(_ record: LogRecord) { writeText(json ? record.json : record.line) }

  /// Writes a line that is no record, in order with the records.
  public func writeText(_ text: String) {
    var line = text + "\n"
    order.withLock { _ in
      line.withUTF8 { bytes in
        var written = 0
        while written < bytes.count {
          let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
          if count < 0, errno == EINTR { continue }
          // A log that cannot be written has nobody to be told to.
          if count <= 0 { return }
          written += count
        }
      }
    }
  }
}
