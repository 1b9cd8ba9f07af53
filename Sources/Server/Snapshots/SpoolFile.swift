import Consensus
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Bytes that wait to be read: on the disk without a name, because what a restore brings can be larger than memory, or in
/// memory if there are few. Written once, then read once, by one thread at a time.
public final class SpoolFile: SnapshotContent, Sendable {
  public struct Failure: Error, CustomStringConvertible {
    let action: String
    let code: Int32
    public var description: String { "cannot \(action) a temporary file: \(String(cString: strerror(code)))" }
  }

  private struct Memory {
    var bytes: [UInt8]
    var position = 0
  }

  /// -1 for bytes in memory.
  private let descriptor: Int32
  private let memory: Mutex<Memory>

  /// Bytes that need no file.
  public init(_ bytes: [UInt8]) {
    descriptor = -1
    memory = Mutex(Memory(bytes: bytes))
  }

  /// An empty file.
  ///
  /// - Parameter folder: where it lies while it is there.
  public init(in folder: String) throws(Failure) {
    memory = Mutex(Memory(bytes: []))
    var path = Array("\(folder)/restore.XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw Failure(action: "create", code: errno) }
    // Programs that the agent starts do not get it; nobody else finds it, and it goes away with its descriptor.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unlink(path)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    if descriptor < 0 { return memory.withLock { $0.bytes += bytes } }
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Failure(action: "write", code: errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }

  /// Goes back to the beginning.
  public func rewind() throws(Failure) {
    memory.withLock { $0.position = 0 }
    if descriptor < 0 { return }
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Failure(action: "read", code: errno) }
  }

  /// Fills `buffer` with bytes from `offset` on, while others may still be written behind them.
  public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Failure) {
    guard descriptor >= 0 else {
      return memory.withLock { buffer.copyBytes(from: $0.bytes.dropFirst(Int(offset)).prefix(buffer.count)) }
    }
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Failure(action: "read", code: count < 0 ? errno : EIO) }
      done += count
    }
  }

  /// Reads the next bytes; none behind the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if descriptor < 0 {
      return memory.withLock { memory in
        let next = memory.bytes.dropFirst(memory.position).prefix(buffer.count)
        buffer.copyBytes(from: next)
        memory.position += next.count
        return next.count
      }
    }
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure(action: "read", code: errno) }
      return count
    }
  }
}
