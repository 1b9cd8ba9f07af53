import Glibc

/// The real binary, run as a process of its own.
final class AgentProcess: Sendable {
  let identifier: pid_t
  private let log: String

  /// The executable that the build puts beside the test bundle.
  static let binary: String = {
    var path = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &path, path.count)
    let bundle = String(decoding: path.prefix(max(count, 0)), as: UTF8.self)
    return bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)] + "/proconsul"
  }()

  /// glibc's `posix_spawn_file_actions_addclosefrom_np`, which the Swift overlay does not show.
  private static let closeFrom =
    dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map { unsafeBitCast($0, to: CloseFrom.self) }
  private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, CInt) -> CInt

  /// - Parameter log: file for what it prints, replaced.
  init(arguments: [String], log: String) throws {
    self.log = log
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // It must not keep the addresses of servers that other tests run.
    _ = Self.closeFrom?(&actions, 3)
    var words = ([Self.binary] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var identifier = pid_t()
    let code = posix_spawn(&identifier, Self.binary, &actions, nil, &words, environ)
    guard code == 0 else { throw AgentFailure("cannot run \(Self.binary): \(String(cString: strerror(code)))") }
    self.identifier = identifier
  }

  /// Ends it without any warning.
  func kill() { Glibc.kill(identifier, SIGKILL) }

  func waitUntilGone() {
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
  }

  /// Nothing but its own failure ends it before it is killed.
  func requireAlive() throws {
    var status: Int32 = 0
    guard waitpid(identifier, &status, WNOHANG) == 0 else { throw AgentFailure("the agent has ended: \(output)") }
  }

  /// The end of what it printed.
  var output: String {
    guard let file = fopen(log, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count].suffix(3000), as: UTF8.self)
  }
}

struct AgentFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}
