import Glibc
import NIOSSL

/// Certificates and keys as files hold them.
public enum PEMFiles {
  /// Bytes of a file; the bundles of all public authorities have a quarter of a megabyte.
  static let sizeMax = 16 << 20

  /// The certificates of a file, at least one.
  public static func certificates(_ path: String) throws(PEMFileError) -> [NIOSSLCertificate] {
    guard let found = certificates(in: try read(path)) else { throw .noCertificate(path: path) }
    return found
  }

  public static func privateKey(_ path: String) throws(PEMFileError) -> NIOSSLPrivateKey {
    guard let key = try? NIOSSLPrivateKey(bytes: try read(path), format: .pem) else { throw .noKey(path: path) }
    return key
  }

  /// The certificates of a file or else of all files of a directory; nil if neither is named.
  public static func authorities(file: String, directory: String) throws(PEMFileError) -> [NIOSSLCertificate]? {
    if !file.isEmpty { return try certificates(file) }
    guard !directory.isEmpty else { return nil }
    var found: [NIOSSLCertificate] = []
    for path in try files(in: directory) { found += try certificates(path) }
    return found
  }

  static func certificates(in pem: [UInt8]) -> [NIOSSLCertificate]? {
    guard let found = try? NIOSSLCertificate.fromPEMBytes(pem), !found.isEmpty else { return nil }
    return found
  }

  /// The files of a directory, in the order of their names, without directories in it: mounted secrets have some.
  private static func files(in directory: String) throws(PEMFileError) -> [String] {
    guard let stream = opendir(directory) else { throw .system(operation: "open", path: directory, code: errno) }
    defer { closedir(stream) }
    var paths: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      let path = "\(directory)/\(name)"
      var found = stat()
      if stat(path, &found) == 0, found.st_mode & S_IFMT != S_IFDIR { paths.append(path) }
    }
    return paths.sorted()
  }

  private static func read(_ path: String) throws(PEMFileError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(operation: "open", path: path, code: errno) }
    defer { close(descriptor) }
    var contents: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count == 0 { return contents }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system(operation: "read", path: path, code: errno)
      }
      guard contents.count + count <= sizeMax else { throw .tooLarge(path: path, limit: sizeMax) }
      contents += chunk[..<count]
    }
  }
}

/// The system's words for an error number, uncapitalised.
func systemText(_ code: Int32) -> String {
  guard let words = strerror(code) else { return "errno \(code)" }
  let text = String(cString: words)
  return text.prefix(1).lowercased() + text.dropFirst()
}
