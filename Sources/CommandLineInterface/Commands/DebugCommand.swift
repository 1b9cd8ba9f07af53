import ConsulClient
import Glibc
import Model
import Synchronization
import Wire

/// `consul debug`: collects what an agent knows of itself over a while, for those who look for the cause of a problem.
enum DebugCommand {
  private static let durationFlag = Flag<GoDuration?>.optionalDuration(
    "duration", "How long the log and the metrics are followed: 2m, at least 10s.")
  private static let capture = Flag.strings(
    "capture", "What to collect: agent, host, members, metrics or logs. May be given several times; all without it.")
  private static let output = Flag.string(
    "output", placeholder: "path", "Where to put the result; without it a name with the time, in the current directory."
  )
  private static let archive = Flag.bool(
    "archive", default: true, "Put everything into one compressed file; otherwise a directory remains.")

  private static let targets = ["agent", "host", "logs", "members", "metrics"]
  private static let shortest = GoDuration.seconds(10)

  static var command: Command {
    Command(
      usage: "Usage: consul debug [options]",
      about: """
        Collects what an agent knows of itself: configuration and statistics, its machine, the members of the cluster,
        and, for some minutes, its metrics and its whole log. Secrets are left out of the configuration, but look at the
        log before you pass the file on.

            $ consul debug -duration=5m -capture=metrics -capture=logs
        """,
      clientFlags: ClientFlags.connection,
      flags: [durationFlag.any, capture.any, output.any, archive.any],
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    if let extra = invocation.arguments.first { throw CommandFailure("Too many arguments: \(extra)") }
    let duration = invocation[durationFlag] ?? .minutes(2)
    guard duration >= shortest else {
      throw CommandFailure("Capture validation failed: duration must be longer than \(shortest)")
    }
    let wanted = invocation[capture].isEmpty ? targets : invocation[capture]
    if let unknown = wanted.first(where: { !targets.contains($0) }) {
      throw CommandFailure("Capture validation failed: unknown target: \(unknown)")
    }
    let client = try invocation.client()
    let agent = try await explaining("error querying target agent") { try await client.agent.describe() }
    let now = Int64(time(nil))
    let path = invocation[output].isEmpty ? "consul-debug-\(fileTime(now))" : invocation[output]
    let console = invocation.console
    console.out(
      "==> Collecting \(wanted.joined(separator: ", ")) of \(agent["Config"]?["NodeName"]?.string ?? "the agent")")
    console.out("    for \(duration); interrupt to end earlier.")
    let files = DebugFiles()
    files.set("index.json", index(agent, wanted, duration))
    if wanted.contains("agent") { files.set("agent.json", pretty(agent)) }
    for (target, place) in [("host", "/v1/agent/host"), ("members", "/v1/agent/members?wan=1")]
    where wanted.contains(target) {
      try await collect(target, place, client, files, console)
    }
    try await follow(client, wanted, duration, files)
    try save(files, to: path, isArchive: invocation[archive], time: now, console)
    return 0
  }

  private static func collect(
    _ target: String, _ place: String, _ client: ConsulClient, _ files: DebugFiles, _ console: Console
  ) async throws {
    let parts = place.split(separator: "?")
    var request = APIRequest("GET", String(parts[0]))
    if parts.count > 1 { request.add("wan", "1") }
    do {
      files.set("\(target).json", pretty(try await client.perform(request).json()))
    } catch let error as CancellationError {
      throw error
    } catch {
      // What is missing must not keep the rest from being collected.
      console.err("[WARN] no \(target): \(describe(error))")
    }
  }

  /// Follows the endless answers until the time is over or the user interrupts.
  private static func follow(
    _ client: ConsulClient, _ wanted: [String], _ duration: GoDuration, _ files: DebugFiles
  ) async throws {
    var streams: [(name: String, request: APIRequest)] = []
    if wanted.contains("metrics") {
      streams.append(("metrics.json", APIRequest("GET", "/v1/agent/metrics/stream")))
    }
    if wanted.contains("logs") {
      var request = APIRequest("GET", "/v1/agent/monitor")
      request.add("loglevel", "trace")
      streams.append(("consul.log", request))
    }
    guard !streams.isEmpty else { return }
    do {
      try await Interrupts.cancelling { [streams] in
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          for (name, request) in streams {
            tasks.addTask {
              files.set(name, [])
              for try await piece in try await client.stream(request) { files.append(name, piece) }
            }
          }
          tasks.addTask {
            try await Task.sleep(for: .nanoseconds(duration.nanoseconds))
            throw CancellationError()
          }
          // The first error, such as the end of the time, cancels the others.
          while try await tasks.next() != nil {}
        }
      }
    } catch is CancellationError {}
  }

  // MARK: - Files

  private static func index(_ agent: Dynamic, _ targets: [String], _ duration: GoDuration) -> [UInt8] {
    pretty([
      "AgentVersion": .string(agent["Config"]?["Version"]?.string ?? ""), "Duration": .string(duration.description),
      "Targets": .array(targets.map { .string($0) }),
    ])
  }

  private static func pretty(_ json: Dynamic) -> [UInt8] {
    Array(json.json.utf8).withUnsafeBytes { Array(prettyJSON($0)) }
  }

  /// `2026-01-02T03-04-05Z`
  static func fileTime(_ seconds: Int64) -> String {
    Timestamp(unixSeconds: seconds).description.replacing(":", with: "-")
  }

  private static func save(
    _ files: DebugFiles, to path: String, isArchive: Bool, time: Int64, _ console: Console
  ) throws {
    let folder = path.split(separator: "/").last.map(String.init) ?? path
    if isArchive {
      let file = path.hasSuffix(".tar.gz") ? path : path + ".tar.gz"
      let name = folder.hasSuffix(".tar.gz") ? String(folder.dropLast(7)) : folder
      let content = files.all.map { (name: "\(name)/\($0.name)", content: $0.content) }
      try write(try FileArchive.make(content, modified: time), to: file)
      console.out("Saved debug archive: \(file)")
    } else {
      guard mkdir(path, 0o755) == 0 else { throw failure(path) }
      for (name, content) in files.all { try write(content, to: "\(path)/\(name)") }
      console.out("Saved debug directory: \(path)")
    }
  }

  /// Never replaces a file.
  private static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure(path) }
      rest = rest.dropFirst(count)
    }
  }

  private static func failure(_ path: String) -> CommandFailure {
    CommandFailure("Cannot write \(path): \(String(cString: strerror(errno)))")
  }
}

/// What was collected so far, by file name.
private final class DebugFiles: Sendable {
  private let contents = Mutex<[String: [UInt8]]>([:])

  func set(_ name: String, _ content: [UInt8]) { contents.withLock { $0[name] = content } }
  func append(_ name: String, _ piece: [UInt8]) { contents.withLock { $0[name, default: []] += piece } }

  var all: [(name: String, content: [UInt8])] {
    contents.withLock { $0.map { (name: $0.key, content: $0.value) } }.sorted { $0.name < $1.name }
  }
}
