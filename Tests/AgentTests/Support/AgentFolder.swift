import ConsulClient
import Foundation

/// A folder with the files of agents that are processes of their own; gone with this object, and so are they.
final class AgentFolder {
  let path: String
  private(set) var agents: [AgentProcess] = []

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/agents-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    stop()
    try? FileManager.default.removeItem(atPath: path)
  }

  /// Ends all agents without any warning.
  func stop() {
    for agent in agents {
      agent.kill()
      agent.waitUntilGone()
    }
    agents = []
  }

  func stop(_ agent: AgentProcess) {
    agent.kill()
    agent.waitUntilGone()
    agents.removeAll { $0 === agent }
  }

  /// Runs a command of the binary in the folder.
  func run(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(filePath: AgentProcess.binary)
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: path)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw AgentFailure("\(arguments) ended with an error") }
  }

  func write(_ name: String, _ text: String) throws {
    try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
  }

  /// Starts an agent, with its data in a folder of its name.
  @discardableResult
  func start(_ name: String, _ address: String, _ settings: [String: Any]) throws -> AgentProcess {
    var configuration: [String: Any] = [
      "node_name": name, "data_dir": "\(path)/\(name)", "bind_addr": address, "client_addr": address,
      "retry_interval": "1s", "performance": ["raft_multiplier": 1],
      "ports": ["dns": -1, "grpc": -1, "grpc_tls": -1],
    ]
    configuration.merge(settings) { $1 }
    let file = "\(path)/\(name).json"
    try JSONSerialization.data(withJSONObject: configuration).write(to: URL(filePath: file))
    let agent = try AgentProcess(arguments: ["agent", "-config-file=\(file)"], log: "\(path)/\(name).log")
    agents.append(agent)
    return agent
  }

  /// Repeats an attempt until it has a result, as long as all agents live. Who waits forever is ended by the time limit of
  /// the test.
  func until<Value>(_ attempt: () async throws -> Value?) async throws -> Value {
    while true {
      for agent in agents { try agent.requireAlive() }
      if let value = try? await attempt() { return value }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  static func client(_ address: String, token: String = "") throws -> ConsulClient {
    var configuration = ClientConfiguration(address: try AgentAddress(parsing: "http://\(address):8500"))
    configuration.token = token
    return try ConsulClient(configuration)
  }
}
