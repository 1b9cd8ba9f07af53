import Glibc

/// The disk of the operating system.
public final class FileSystemDisk: Disk {
  public init() {}

  public func createDirectory(_ path: String) throws(DiskError) {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw .current(.createDirectory, path)
    }
    let parent = String(path[..<slash])
    try createDirectory(parent)
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .current(.createDirectory, path) }
    try synchronizeDirectory(parent)
  }

  public func list(_ path: String) throws(DiskError) -> [String] {
    guard let directory = opendir(path) else { throw .current(.list, path) }
    defer { closedir(directory) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(directory) else { break }
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw .current(.list, path) }
    return names
  }

  public func exists(_ path: String) throws(DiskError) -> Bool {
    if access(path, F_OK) == 0 { return true }
    guard errno == ENOENT || errno == ENOTDIR else { throw .current(.open, path) }
    return false
  }

  public func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
    let flags: Int32 =
      switch mode {
      case .read: O_RDONLY
      case .readWrite: O_RDWR
      case .create: O_RDWR | O_CREAT | O_TRUNC
      }
    let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .current(.open, path) }
    return OpenFile(descriptor: descriptor, path: path)
  }

  public func rename(_ from: String, to: String) throws(DiskError) {
    guard Glibc.rename(from, to) == 0 else { throw .current(.rename, from) }
  }

  public func remove(_ path: String) throws(DiskError) {
    guard Glibc.remove(path) == 0 || errno == ENOENT else { throw .current(.remove, path) }
  }

  public func synchronizeDirectory(_ path: String) throws(DiskError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .current(.synchronize, path) }
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .current(.synchronize, path) }
  }

  public func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .current(.lock, path) }
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return OpenFile(descriptor: descriptor, path: path) }
    let code = errno
    Glibc.close(descriptor)
    guard code == EWOULDBLOCK else { throw .system(.lock, path, code: code) }
    return nil
  }
}

/// An open descriptor; for a lock file, closing it releases the lock.
private final class OpenFile: DiskFile, DiskLock {
  private let descriptor: Int32
  private let path: String

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { Glibc.close(descriptor) }

  func size() throws(DiskError) -> UInt64 {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size >= 0 else { throw .current(.size, path) }
    return UInt64(status.st_size)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
    guard let base = bytes.baseAddress else { return }
    var done = 0
    while done < bytes.count {
      let written = pwrite(descriptor, base + done, bytes.count - done, off_t(offset) + off_t(done))
      if written > 0 {
        done += written
      } else if written == 0 {
        throw .system(.write, path, code: EIO)
      } else if errno != EINTR {
        throw .current(.write, path)
      }
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    guard let base = buffer.baseAddress else { return 0 }
    var done = 0
    while done < buffer.count {
      let count = pread(descriptor, base + done, buffer.count - done, off_t(offset) + off_t(done))
      if count > 0 {
        done += count
      } else if count == 0 {
        break
      } else if errno != EINTR {
        throw .current(.read, path)
      }
    }
    return done
  }

  func synchronize() throws(DiskError) {
    // Sizes never change while a log is written, so the data alone is enough; a file that grew gets its size, too.
    guard fdatasync(descriptor) == 0 else { throw .current(.synchronize, path) }
  }

  /// The descriptor stays valid until the last reference is gone, so that no reader ever meets a reused number.
  func close() {}

  func release() { flock(descriptor, LOCK_UN) }
}

extension DiskError {
  static func current(_ operation: Operation, _ path: String) -> DiskError {
    system(operation, path, code: errno)
  }

  static func system(_ operation: Operation, _ path: String, code: Int32) -> DiskError {
    DiskError(operation, path, code: code, message: String(cString: strerror(code)))
  }

  /// The device or the quota is full.
  var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }
}
