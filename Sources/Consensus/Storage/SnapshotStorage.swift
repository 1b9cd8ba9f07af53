/// Where snapshots of the state machine are kept.
public protocol SnapshotStorage: AnyObject, Sendable {
  /// The newest snapshot whose content is intact, and what was wrong with newer ones.
  /// - Throws: `noUsableSnapshot` if there are snapshots but none can be used.
  func newestUsable() throws(StorageError) -> (snapshot: SnapshotMetadata?, skipped: [StorageError])
  /// Begins a snapshot. It does not exist for anybody before `publish`.
  func create(_ position: SnapshotPosition) throws(StorageError) -> any SnapshotSink
  func open(_ snapshot: SnapshotMetadata) throws(StorageError) -> any SnapshotReader
}

/// What a snapshot stands for.
public struct SnapshotPosition: Sendable, Equatable {
  /// The last entry whose effect is contained.
  public var index: LogIndex
  public var term: Term
  /// The configuration in force at `index`, and where it was appended.
  public var configuration: RaftConfiguration
  public var configurationIndex: LogIndex

  public init(index: LogIndex, term: Term, configuration: RaftConfiguration, configurationIndex: LogIndex) {
    self.index = index
    self.term = term
    self.configuration = configuration
    self.configurationIndex = configurationIndex
  }
}

public struct SnapshotMetadata: Sendable, Equatable {
  public var position: SnapshotPosition
  /// Bytes of content.
  public var size: UInt64
  /// CRC-32C of the content.
  public var checksum: UInt32
  /// Name in its storage.
  public var name: String

  public var index: LogIndex { position.index }
  public var term: Term { position.term }
}

/// Takes the content of a new snapshot.
public protocol SnapshotSink: AnyObject, Sendable {
  func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError)
  /// Ends the content and makes it durable, still invisible.
  func seal() throws(StorageError) -> SnapshotMetadata
  /// Reads what was sealed.
  func reader() throws(StorageError) -> any SnapshotReader
  /// Makes the sealed snapshot the newest. Durable on return.
  func publish() throws(StorageError)
  /// Drops it.
  func abort()
}

extension SnapshotSink {
  public func write(_ bytes: [UInt8]) throws(StorageError) {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(StorageError) in try write(buffer) }
    }
    try result.get()
  }
}

/// A stream of snapshot content.
public protocol SnapshotContent: AnyObject, Sendable {
  /// Fills `buffer` as far as possible.
  /// - Returns: number of bytes; 0 at the end. May block.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// Content of a stored snapshot. Ends with an error instead of a damaged result.
public protocol SnapshotReader: SnapshotContent {
  var metadata: SnapshotMetadata { get }
}

extension SnapshotContent {
  /// Copies exactly `size` bytes into `sink`.
  func copy(to sink: any SnapshotSink, size: Int64) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    defer { buffer.deallocate() }
    var remaining = size
    while remaining > 0 {
      let wanted = Int(min(remaining, Int64(buffer.count)))
      let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[0..<wanted]))
      guard count > 0, count <= wanted else { throw SnapshotCutOff(missing: remaining) }
      try sink.write(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
      remaining -= Int64(count)
    }
  }
}

/// The stream ended before the announced size.
public struct SnapshotCutOff: Error, Sendable, CustomStringConvertible {
  public var missing: Int64
  public var description: String { "the snapshot is cut off: \(missing) bytes are missing" }
}
