/// Why durable state cannot be used. Each case names the file, and what an operator needs to decide.
public enum StorageError: Error, Sendable, Equatable, CustomStringConvertible {
  case disk(DiskError)
  /// No space left; nothing that was acknowledged is affected.
  case full(DiskError)
  /// Another process uses the directory.
  case inUse(path: String)
  /// The content is not what was once acknowledged. `offset` is where the damage begins.
  case corrupt(file: String, offset: UInt64, reason: String)
  /// Written by a newer release.
  case newerFormat(file: String, version: UInt32, supported: UInt32)
  /// Entries between `expected` and `found` are missing.
  case gap(file: String, expected: LogIndex, found: LogIndex)
  /// The newest snapshots are unusable, and the log no longer reaches back to the one that is.
  case noUsableSnapshot(directory: String, reason: String)
  /// The directory holds state of another implementation, which is neither read nor overwritten.
  case foreign(path: String)
  /// An earlier write or sync failed. What is on disk is only known after a restart.
  case failedBefore(String)
  /// A snapshot that was asked for does not exist (any more).
  case missing(path: String)

  init(_ error: DiskError) {
    self = error.isOutOfSpace ? .full(error) : .disk(error)
  }

  public var description: String {
    switch self {
    case .disk(let error): error.description
    case .full(let error): "no space left on device: \(error)"
    case .inUse(let path): "\(path) is in use by another process"
    case .corrupt(let file, let offset, let reason): "\(file) is corrupt at offset \(offset): \(reason)"
    case .newerFormat(let file, let version, let supported):
      "\(file) has format version \(version); this release reads up to version \(supported)"
    case .gap(let file, let expected, let found):
      "\(file): log entries are missing: expected index \(expected), found \(found)"
    case .noUsableSnapshot(let directory, let reason): "no usable snapshot in \(directory): \(reason)"
    case .foreign(let path):
      "\(path) belongs to another implementation; move the data with a snapshot or by joining its cluster"
    case .failedBefore(let reason): "storage failed earlier (\(reason)); restart to recover"
    case .missing(let path): "\(path) does not exist"
    }
  }
}

/// Runs disk operations and reports their errors as errors of the storage.
func onDisk<T>(_ body: () throws(DiskError) -> T) throws(StorageError) -> T {
  do { return try body() } catch { throw StorageError(error) }
}
