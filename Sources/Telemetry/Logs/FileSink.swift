import Model
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Why a log file cannot be used.
public struct LogFileError: Error, Equatable, CustomStringConvertible {
  public var path: String
  public var reason: String
  public var description: String { "\(path): \(reason)" }
}

/// Writes lines to a file, and to a new one when that is old or large enough.
public final class FileSink: AdjustableLogSink {
  private struct State {
    var level: LogLevel
    var descriptor: Int32
    var start: Int64
    var size = 0
  }

  private let names: LogFileNames
  private let rotation: LogRotation
  private let json: Bool
  private let state: Mutex<State>

  /// Opens the first file.
  public init(path: String, rotation: LogRotation, level: LogLevel, json: Bool) throws(LogFileError) {
    names = LogFileNames(path)
    self.rotation = rotation
    self.json = json
    let now = WallClock.nanoseconds
    if mkdir(names.directory, 0o755) != 0, errno != EEXIST {
      throw LogFileError(path: names.directory, reason: String(cString: strerror(errno)))
    }
    let file = names.path(start: now)
    let descriptor = Self.open(file)
    guard descriptor >= 0 else { throw LogFileError(path: file, reason: String(cString: strerror(errno))) }
    state = Mutex(State(level: level, descriptor: descriptor, start: now))
    removeObsolete()
  }

  deinit {
    let descriptor = state.withLock { $0.descriptor }
    close(descriptor)
  }

  public var level: LogLevel {
    get { state.withLock { $0.level } }
    set { state.withLock { $0.level = newValue } }
  }

  public func write(_ record: LogRecord) {
    let line = (json ? record.json : record.line) + "\n"
    let hasRotated = state.withLock { state in
      let hasRotated = rotation.isOver(size: state.size, start: state.start, now: record.time) && rotate(&state)
      let bytes = Array(line.utf8)
      var written = 0
      while written < bytes.count {
        let count = bytes.withUnsafeBytes {
          Glibc.write(state.descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
        }
        if count < 0, errno == EINTR { continue }
        if count <= 0 { break }
        written += count
      }
      state.size += written
      return hasRotated
    }
    if hasRotated { removeObsolete() }
  }

  /// Goes on with a new file. Where none can be made the old one grows.
  private func rotate(_ state: inout State) -> Bool {
    let now = WallClock.nanoseconds
    let descriptor = Self.open(names.path(start: now))
    guard descriptor >= 0 else { return false }
    close(state.descriptor)
    state.descriptor = descriptor
    state.start = now
    state.size = 0
    return true
  }

  private static func open(_ path: String) -> Int32 {
    Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
  }

  private func removeObsolete() {
    guard rotation.keptFiles != 0, let folder = opendir(names.directory) else { return }
    var found: [String] = []
    while let entry = readdir(folder) {
      found.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    closedir(folder)
    // The newest is being written.
    for name in rotation.obsolete(names.ours(found).dropLast()) { unlink("\(names.directory)/\(name)") }
  }
}
