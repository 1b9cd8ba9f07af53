import Glibc

/// The snapshot file of a pool. Its methods block: they belong on a thread for files.
///
/// Sendable: used by one thread at a time, the file thread of its pool.
final class SnapshotFile: @unchecked Sendable {
  private let path: String
  private var descriptor: Int32 = -1

  /// Snapshots are lists of nodes; what is larger is none.
  private static let sizeMaximum = 256 << 20

  init(_ path: String) { self.path = path }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// The content; empty if there is no file.
  ///
  /// - Throws: `file`.
  static func read(_ path: String) throws(GossipError) -> [UInt8] {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT { return [] }
      throw failure(path)
    }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while content.count <= sizeMaximum {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw failure(path)
      }
      if count == 0 { return content }
      content += chunk[..<count]
    }
    throw .file(path: path, reason: "larger than \(sizeMaximum) bytes")
  }

  /// - Throws: `file`.
  func append(_ bytes: [UInt8]) throws(GossipError) {
    if descriptor < 0 {
      descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
      if descriptor < 0 { throw Self.failure(path) }
    }
    try Self.write(bytes, to: descriptor, path)
  }

  /// Puts a new file in the place of the old one; a crash leaves one of both.
  ///
  /// - Throws: `file`.
  func replace(_ bytes: [UInt8]) throws(GossipError) {
    let temporary = path + ".compact"
    let new = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
    if new < 0 { throw Self.failure(temporary) }
    do throws(GossipError) {
      try Self.write(bytes, to: new, temporary)
      guard fsync(new) == 0, rename(temporary, path) == 0 else { throw Self.failure(temporary) }
    } catch {
      close(new)
      throw error
    }
    if descriptor >= 0 { close(descriptor) }
    descriptor = new
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(GossipError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw failure(path)
      }
      rest = rest.dropFirst(count)
    }
  }

  private static func failure(_ path: String) -> GossipError {
    .file(path: path, reason: String(cString: strerror(errno)))
  }
}
