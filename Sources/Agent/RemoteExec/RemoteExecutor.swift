import AgentConfiguration
import ConsulClient
import Logging
import Model
import NIOCore
import Subprocess
import Synchronization
import SystemPackage

/// Runs the commands of `consul exec` on this machine, where the configuration allows it (`disable_remote_exec = false`).
///
/// It speaks to the servers through the agent's own API, like any client.
final class RemoteExecutor: Sendable {
  /// Bytes of output in one key, and how often it is written while it comes.
  private static let pieceSize = 4096
  private static let writePause = Duration.milliseconds(500)
  /// Output beyond this is not written: it goes through consensus.
  private static let pieceLimit = 1024

  private let client: ConsulClient
  private let node: String
  private let token: String
  private let logger: Logger
  private struct Running {
    var tasks: [UInt64: Task<Void, Never>] = [:]
    var last: UInt64 = 0
  }

  private let running = Mutex(Running())

  init(client: ConsulClient, node: String, token: String, logger: Logger) {
    self.client = client
    self.node = node
    self.token = token
    self.logger = logger
  }

  /// Takes an event that tells of a job.
  func take(_ event: UserEvent) {
    guard let place = RemoteJob.Place(payload: event.payload.bytes) else {
      return logger.warning("remote exec: an event that tells of no job", metadata: ["id": "\(event.id)"])
    }
    running.withLock { running in
      running.last &+= 1
      let number = running.last
      running.tasks[number] = Task {
        do {
          try await self.run(place)
        } catch {
          self.logger.error("remote exec failed", metadata: ["session": "\(place.session)", "error": "\(error)"])
        }
        self.running.withLock { _ = $0.tasks.removeValue(forKey: number) }
      }
    }
  }

  /// Ends all commands.
  func stop() async {
    let tasks = running.withLock { running in
      defer { running.tasks = [:] }
      return Array(running.tasks.values)
    }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    await client.shutdown()
  }

  private var options: QueryOptions {
    var options = QueryOptions()
    options.token = token.isEmpty ? nil : token
    return options
  }

  private func run(_ place: RemoteJob.Place) async throws {
    guard let pair = try await client.kv.get(place.job, options).value else {
      return logger.warning("remote exec: the job is gone", metadata: ["session": "\(place.session)"])
    }
    let job = try RemoteJob(pair.value)
    guard try await put(place.ack(node), [], place) else {
      return logger.warning("remote exec: the session is gone", metadata: ["session": "\(place.session)"])
    }
    logger.info("remote exec", metadata: ["session": "\(place.session)", "command": "\(job.command)"])
    let output = OutputPieces(limit: Self.pieceSize)
    let code = try await withThrowingTaskGroup(of: Int?.self) { group in
      group.addTask { try await self.execute(job, into: output) }
      group.addTask {
        try await self.write(output, place, heartbeat: job.wait.duration / 2)
        return nil
      }
      var code = 0
      while let result = try await group.next() {
        guard let result else { continue }
        code = result
        output.end()
      }
      return code
    }
    _ = try await put(place.exit(node), Array("\(code)".utf8), place)
  }

  /// Writes output as it comes, and signs of life while none does.
  private func write(_ output: OutputPieces, _ place: RemoteJob.Place, heartbeat: Duration) async throws {
    var number = 0
    var lastSign = ContinuousClock.now
    while true {
      let (pieces, isOver) = output.take()
      for piece in pieces where number < Self.pieceLimit {
        _ = try await put(place.output(node, number), piece, place)
        number += 1
        lastSign = .now
      }
      if isOver { return }
      if ContinuousClock.now - lastSign >= heartbeat, number < Self.pieceLimit {
        _ = try await put(place.output(node, number), [], place)
        number += 1
        lastSign = .now
      }
      try await Task.sleep(for: min(Self.writePause, max(heartbeat / 2, .milliseconds(20))))
    }
  }

  private func put(_ key: String, _ value: [UInt8], _ place: RemoteJob.Place) async throws -> Bool {
    try await client.kv.put(KVPair(key: key, value: value), if: .acquire(session: place.session), options)
  }

  private func execute(_ job: RemoteJob, into output: OutputPieces) async throws -> Int {
    let shell = Environment["SHELL"] ?? "/bin/sh"
    var words = job.arguments
    if !job.command.isEmpty { words = [shell, "-c", job.command] }
    if !job.script.isEmpty { words = [shell, "-s"] }
    guard let program = words.first else { return 0 }
    var platform = PlatformOptions()
    platform.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(5))]
    let configuration = Configuration(
      executable: program.contains("/") ? .path(FilePath(program)) : .name(program),
      arguments: Arguments(Array(words.dropFirst())), platformOptions: platform)
    do {
      let result = try await Subprocess.run(
        configuration, input: .inputWriter, output: .sequence, error: .combinedWithOutput
      ) { execution in
        // A program need not read its input.
        _ = try? await execution.standardInputWriter.write(job.script)
        try? await execution.standardInputWriter.finish()
        for try await chunk in execution.standardOutput { chunk.withUnsafeBytes { output.add($0) } }
      }
      switch result.terminationStatus {
      case .exited(let code): return Int(code)
      case .signaled(let number): return 128 + Int(number)
      }
    } catch let error as SubprocessError {
      Array("\(program): \(error)\n".utf8).withUnsafeBytes { output.add($0) }
      return 127
    }
  }
}

/// Output between the program that prints it and the keys that it is written to.
private final class OutputPieces: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isOver = false
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  func add(_ bytes: UnsafeRawBufferPointer) { state.withLock { $0.bytes += bytes } }

  func end() { state.withLock { $0.isOver = true } }

  func take() -> (pieces: [[UInt8]], isOver: Bool) {
    let (bytes, isOver) = state.withLock { state in
      defer { state.bytes = [] }
      return (state.bytes, state.isOver)
    }
    let pieces = stride(from: 0, to: bytes.count, by: limit).map { Array(bytes[$0..<min($0 + limit, bytes.count)]) }
    return (pieces, isOver)
  }
}
