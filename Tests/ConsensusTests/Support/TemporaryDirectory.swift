import Glibc

/// A directory on the real disk that disappears with the value.
final class TemporaryDirectory {
  let path: String

  init() {
    var template = Array("/tmp/consensus-XXXXXX".utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "/tmp/consensus-failed" }
      return String(cString: made)
    }
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    if Glibc.remove(path) == 0 { return }
    guard let directory = opendir(path) else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { remove(path + "/" + name) }
    }
    Glibc.remove(path)
  }
}
