/// The few file operations that durable storage needs. One implementation talks to the operating system
/// (`FileSystemDisk`); the tests have one that loses, tears and refuses what a real disk may.
///
/// What is written is only safe after `synchronize()`, and a created, renamed or removed name only after
/// `synchronizeDirectory(_:)` of the directory that contains it.
public protocol Disk: AnyObject, Sendable {
  /// Creates the directory and the missing ones above it; fine if it exists.
  func createDirectory(_ path: String) throws(DiskError)
  /// Names in a directory, in no particular order.
  func list(_ path: String) throws(DiskError) -> [String]
  func exists(_ path: String) throws(DiskError) -> Bool
  func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile
  /// Replaces `to` if it exists.
  func rename(_ from: String, to: String) throws(DiskError)
  /// Removes a file or an empty directory; fine if it does not exist.
  func remove(_ path: String) throws(DiskError)
  func synchronizeDirectory(_ path: String) throws(DiskError)
  /// Takes an exclusive lock that ends with this process; nil if another process holds it.
  func lock(_ path: String) throws(DiskError) -> (any DiskLock)?
}

public enum DiskOpenMode: Sendable {
  case read
  case readWrite
  /// Creates the file; one that exists loses its content.
  case create
}

public protocol DiskFile: AnyObject, Sendable {
  func size() throws(DiskError) -> UInt64
  /// Writes all of `bytes`.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError)
  /// Fills `buffer` as far as the file reaches.
  /// - Returns: number of bytes read; less than asked for only at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int
  /// Makes what was written durable. After a failure nothing may be assumed about any write since the last success,
  /// and a later success proves nothing about them.
  func synchronize() throws(DiskError)
  func close()
}

/// Held until released or the process ends.
public protocol DiskLock: AnyObject, Sendable {
  func release()
}

/// A failed file operation.
public struct DiskError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Operation: String, Sendable {
    case createDirectory = "mkdir"
    case list, open, rename, remove, read, write, lock
    case synchronize = "fsync"
    case size = "stat"
  }

  public var operation: Operation
  public var path: String
  /// `errno` of the operating system.
  public var code: Int32
  public var message: String

  public init(_ operation: Operation, _ path: String, code: Int32, message: String) {
    self.operation = operation
    self.path = path
    self.code = code
    self.message = message
  }

  public var description: String { "\(operation.rawValue) \(path): \(message)" }
}

extension DiskFile {
  func write(_ bytes: [UInt8], at offset: UInt64) throws(DiskError) {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(DiskError) in try write(buffer, at: offset) }
    }
    try result.get()
  }

  /// Up to `count` bytes from `offset`.
  func read(_ count: Int, at offset: UInt64) throws(DiskError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let result = bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(DiskError) in try read(into: buffer, at: offset) }
    }
    let length = try result.get()
    if length < count { bytes.removeLast(count - length) }
    return bytes
  }
}
