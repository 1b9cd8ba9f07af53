import Foundation
import Testing

@testable import Gossip

/// A program, started without the files and sockets of this process.
struct ChildProgram: Sendable {
  let identifier: pid_t

  private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, CInt) -> CInt
  /// glibc's `posix_spawn_file_actions_addclosefrom_np`, which the Swift overlay does not show.
  private static let closeFrom =
    dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map { unsafeBitCast($0, to: CloseFrom.self) }

  struct NotStarted: Error {
    let code: CInt
  }

  /// - Parameter output: file for what it prints, replaced.
  init(_ arguments: [String], output: String) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    _ = Self.closeFrom?(&actions, 3)
    var words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var identifier = pid_t()
    let code = posix_spawnp(&identifier, arguments[0], &actions, nil, &words, environ)
    guard code == 0 else { throw NotStarted(code: code) }
    self.identifier = identifier
  }

  func signal(_ number: CInt) { kill(identifier, number) }

  /// Waits for its end and returns its exit code; -1 after a signal.
  func end() async throws -> CInt {
    var status: CInt = 0
    while waitpid(identifier, &status, WNOHANG) == 0 { try await Task.sleep(for: .milliseconds(10)) }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
  }
}

/// A real agent of Serf on a loopback address of its own.
struct SerfPeer: Sendable {
  static let isInstalled = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
    access("\($0)/serf", X_OK) == 0
  }

  let ip: String
  let folder: String
  let agent: ChildProgram

  var address: String { "\(ip):8301" }
  private var rpc: String { "-rpc-addr=\(ip):7373" }

  static func start(_ name: String, _ ip: String, _ options: [String] = []) async throws -> SerfPeer {
    let folder = FileManager.default.temporaryDirectory.appending(path: "serf-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let agent = try ChildProgram(
      [
        "serf", "agent", "-node=\(name)", "-bind=\(ip):8301", "-rpc-addr=\(ip):7373", "-profile=local",
        "-event-handler=user=echo $SERF_USER_EVENT $SERF_USER_LTIME $(cat) >> \(folder)/events",
        "-event-handler=query:uptime=echo answer of \(name) to $(cat)",
      ] + options, output: "\(folder)/log")
    let peer = SerfPeer(ip: ip, folder: folder, agent: agent)
    try await eventually { (try? await peer.run(["info"])).map { $0.contains(name) } ?? false }
    return peer
  }

  struct CommandFailed: Error {
    let output: String
  }

  /// Runs a command of Serf against the agent and returns what it prints.
  @discardableResult func run(_ arguments: [String]) async throws -> String {
    let output = "\(folder)/\(UUID().uuidString)"
    let command = try ChildProgram(["serf", arguments[0], rpc] + arguments.dropFirst(), output: output)
    let code = try await command.end()
    let text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
    guard code == 0 else { throw CommandFailed(output: text) }
    return text
  }

  /// `name status tags` of all members, sorted.
  func members() async throws -> [String] {
    try await run(["members"]).split(separator: "\n").map { line in
      let columns = line.split(separator: " ").map(String.init)
      return ([columns[0], columns[2]] + columns.dropFirst(3)).joined(separator: " ")
    }.sorted()
  }

  /// Name, Lamport time and payload of user events.
  var events: [String] {
    let text = (try? String(contentsOfFile: "\(folder)/events", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.sorted()
  }

  var log: String { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "" }

  func stop() async throws {
    agent.signal(SIGCONT)
    agent.signal(SIGKILL)
    _ = try await agent.end()
    try FileManager.default.removeItem(atPath: folder)
  }
}
