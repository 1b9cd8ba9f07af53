#if canImport(Glibc)
  import Glibc
#endif

/// Files of a few lines that are read and replaced as a whole.
enum SmallFile {
  /// Larger files are not ours.
  static let sizeLimit = 64 * 1024

  /// The file's text, or nil when there is none.
  ///
  /// - Parameter limit: bytes; a larger file is an error.
  static func read(_ path: String, limit: Int = sizeLimit) throws(AgentError) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT { return nil }
      throw .unusableFile(path: path, reason: reason())
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count <= limit {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .unusableFile(path: path, reason: reason())
      }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
    throw .unusableFile(path: path, reason: "larger than \(limit) bytes")
  }

  /// Puts a new file in the place of the old one at once: a crash leaves one or the other.
  static func replace(_ path: String, with text: String, mode: mode_t = 0o600) throws(AgentError) {
    let temporary = path + ".tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .unusableFile(path: temporary, reason: reason()) }
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let problem = reason()
        close(descriptor)
        unlink(temporary)
        throw .unusableFile(path: temporary, reason: problem)
      }
      rest = rest.dropFirst(count)
    }
    let synced = fsync(descriptor) == 0
    let problem = reason()
    close(descriptor)
    guard synced, rename(temporary, path) == 0 else {
      unlink(temporary)
      throw .unusableFile(path: path, reason: problem)
    }
  }

  static func remove(_ path: String) { unlink(path) }

  private static func reason() -> String { String(cString: strerror(errno)) }
}
