import Consensus

#if canImport(Glibc)
  import Glibc
#endif

/// Bytes that wait on the disk without a name: what a restore brings can be larger than memory. Written once, then read
/// once, by one thread at a time.
final class SpoolFile: SnapshotContent, Sendable {
  struct Failure: Error, CustomStringConvertible {
    let action: String
    let code: Int32
    var description: String { "cannot \(action) a temporary file: \(String(cString: strerror(code)))" }
  }

  private let descriptor: Int32

  /// - Parameter folder: where the file lies while it is there.
  init(in folder: String) throws(Failure) {
    var path = Array("\(folder)/restore.XXXXXX".utf8CString)
    descriptor = mkstemp(&path)
    guard descriptor >= 0 else { throw Failure(action: "create", code: errno) }
    // Nobody else finds it, and it goes away with its descriptor.
    unlink(path)
  }

  deinit { close(descriptor) }

  func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Failure(action: "write", code: errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }

  /// Goes back to the beginning.
  func rewind() throws(Failure) {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Failure(action: "read", code: errno) }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Failure(action: "read", code: errno) }
      return count
    }
  }
}
