import Glibc

/// A file operation that failed, in the words of the operating system: `open ca.pem: no such file or directory`.
public struct FileError: Error, Equatable, CustomStringConvertible {
  public let operation: String
  public let path: String
  /// `errno` of the failed call.
  public let code: Int32

  public init(operation: String, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  public var description: String {
    "\(operation) \(path): \(systemErrorText(code))"
  }
}

/// The system's text for an `errno` as tools print it, in lower case: `connection refused`.
package func systemErrorText(_ code: Int32) -> String {
  guard let text = strerror(code) else { return "errno \(code)" }
  let sentence = String(cString: text)
  return sentence.prefix(1).lowercased() + sentence.dropFirst()
}

/// Whole files and streams as bytes.
package enum FileReader {
  /// Files above this size (in bytes) are refused with `EFBIG`, since nothing that is sent to an agent is that large.
  static let sizeMax = 1 << 30

  package static func read(_ path: String) throws(FileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
    defer { close(descriptor) }
    return try readAll(descriptor: descriptor, name: path)
  }

  /// The text of a file without white space around it, as tokens are kept.
  package static func readTrimmed(_ path: String) throws(FileError) -> String {
    String(decoding: try read(path), as: UTF8.self).trimmed
  }

  /// The names in a directory, sorted, without `.` and `..`.
  package static func list(_ path: String) throws(FileError) -> [String] {
    guard let directory = opendir(path) else { throw FileError(operation: "open", path: path, code: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: Int(entry.pointee.d_reclen)) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  package static func readAll(descriptor: Int32, name: String) throws(FileError) -> [UInt8] {
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count == 0 { return contents }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError(operation: "read", path: name, code: errno)
      }
      guard contents.count + count <= sizeMax else { throw FileError(operation: "read", path: name, code: EFBIG) }
      contents += chunk[..<count]
    }
  }
}

extension String {
  /// Without white space at both ends.
  package var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else {
      return ""
    }
    return String(self[first...last])
  }
}
