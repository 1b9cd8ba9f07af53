import HCL
import Glibc

/// What a configuration may depend on besides its sources: the host's name, interfaces and files. Tests bring their own.
public struct HostEnvironment: Sendable {
  public enum PathKind: Sendable { case missing, file, directory }

  public var hostName: @Sendable () -> String
  public var interfaces: @Sendable () -> [NetworkInterface]
  public var kind: @Sendable (_ path: String) -> PathKind
  /// The names in a directory, in no order.
  public var list: @Sendable (_ path: String) throws(ConfigurationError) -> [String]
  public var read: @Sendable (_ path: String) throws(ConfigurationError) -> [UInt8]
  /// A variable of the environment; nil if there is none.
  public var variable: @Sendable (_ name: String) -> String?

  public init(
    hostName: @escaping @Sendable () -> String, interfaces: @escaping @Sendable () -> [NetworkInterface],
    kind: @escaping @Sendable (_ path: String) -> PathKind,
    list: @escaping @Sendable (_ path: String) throws(ConfigurationError) -> [String],
    read: @escaping @Sendable (_ path: String) throws(ConfigurationError) -> [UInt8],
    variable: @escaping @Sendable (_ name: String) -> String? = { _ in nil }
  ) {
    self.hostName = hostName
    self.interfaces = interfaces
    self.kind = kind
    self.list = list
    self.read = read
    self.variable = variable
  }

  /// The machine that the process runs on.
  public static let thisHost = HostEnvironment(
    hostName: FileSystem.hostName, interfaces: NetworkInterface.ofThisHost, kind: FileSystem.kind,
    list: FileSystem.list, read: FileSystem.read,
    variable: { name in getenv(name).map { String(cString: $0) } })
}

/// The few calls to the system that loading a configuration needs.
private enum FileSystem {
  @Sendable static func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
    return text(buffer)
  }

  @Sendable static func kind(_ path: String) -> HostEnvironment.PathKind {
    var status = stat()
    guard stat(path, &status) == 0 else { return .missing }
    return status.st_mode & S_IFMT == S_IFDIR ? .directory : .file
  }

  @Sendable static func list(_ path: String) throws(ConfigurationError) -> [String] {
    guard let directory = opendir(path) else { throw failure("open", path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  @Sendable static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    let limit = HCL.Limits().size
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while content.count <= limit {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", path) }
      if count == 0 { break }
      content += buffer.prefix(count)
    }
    return content
  }

  private static func failure(_ call: String, _ path: String) -> ConfigurationError {
    var buffer = [CChar](repeating: 0, count: 256)
    let code = errno
    let message = strerror_r(code, &buffer, buffer.count) == 0 ? text(buffer).lowercased() : "error \(code)"
    return .cannotRead(path: path, reason: "\(call) \(path): \(message)")
  }

  private static func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
