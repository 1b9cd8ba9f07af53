import Glibc
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Checks

private func script(_ arguments: [String], timeout: GoDuration = .zero, outputLimit: Int = 4096) async throws
  -> ProbeResult?
{
  try await probe(
    check {
      $0.scriptArgs = arguments
      $0.timeout = timeout
    }, outputLimit: outputLimit
  ).once()
}

@Suite(.timeLimit(.minutes(1))) struct ScriptProbeTests {
  @Test(
    arguments: [
      ("echo fine", CheckStatus.passing, "fine\n"), ("echo careful; exit 1", .warning, "careful\n"),
      ("echo gone >&2; exit 2", .critical, "gone\n"), ("echo out; echo err >&2; exit 7", .critical, "out\nerr\n"),
      ("kill -9 $$", .critical, ""), ("read line; echo \"[$line]\"", .passing, "[]\n"), ("exit 0", .passing, ""),
    ])
  func exitCodeAndOutputOfAProgramCount(text: String, status: CheckStatus, output: String) async throws {
    #expect(try await script(["sh", "-c", text]) == ProbeResult(status: status, output: output))
  }

  @Test func argumentsArriveUntouched() async throws {
    let result = try await script(["sh", "-c", "for a in \"$@\"; do echo \"[$a]\"; done", "x", "a b", "$HOME", "*"])
    #expect(result == .passing("[a b]\n[$HOME]\n[*]\n"))
  }

  @Test func theEndOfALongOutputIsKept() async throws {
    let result = try await script(["sh", "-c", "head -c 6000 /dev/zero | tr '\\0' y; printf end"], outputLimit: 30)
    #expect(result == .passing("Captured 30 of 6003 bytes\n...\n\(String(repeating: "y", count: 27))end"))
  }

  @Test(
    arguments: [
      (["/nowhere/absent.sh"], "fork/exec /nowhere/absent.sh: no such file or directory"),
      (["no-such-program-anywhere"], "exec: \"no-such-program-anywhere\": executable file not found in $PATH"),
      (["/etc/passwd"], "fork/exec /etc/passwd: permission denied"), (["/"], "fork/exec /: permission denied"),
      ([""], "exec: \"\": executable file not found in $PATH"),
    ])
  func aProgramThatCannotStartIsCritical(arguments: [String], output: String) async throws {
    let result = try await script(arguments)
    #expect(result == .critical(output))
  }

  /// A descendant of the script holds a named pipe open: the end of the pipe is the end of the descendant.
  @Test func atTheTimeoutTheWholeProcessGroupIsKilled() async throws {
    let (path, ended) = try watchedPipe()
    let result = try await script(["sh", "-c", "sleep 1000 > \(path) & wait"], timeout: .milliseconds(500))
    #expect(result == .critical("Timed out (500ms) running check"))
    try await ended.get()
  }

  @Test func stopKillsTheWholeProcessGroup() async throws {
    let (path, ended) = try watchedPipe()
    let running = try probe(check { $0.scriptArgs = ["sh", "-c", "sleep 1000 > \(path) & wait"] })
    let run = running.run(on: group.next()) { _ in Issue.record("an abandoned run reports") }
    try await ended.opened.get()
    run.abandon()
    try await ended.get()
  }

  @Test func aDescendantThatLeftTheGroupDoesNotDelayTheResult() async throws {
    let (path, ended) = try watchedPipe()
    let text = "setsid sh -c 'echo $$ > \(path); exec sleep 1000' & wait"
    let result = try await script(["sh", "-c", text], timeout: .milliseconds(500))
    #expect(result == .critical("Timed out (500ms) running check"))
    try await ended.get()
    let survivor = try #require(pid_t(await ended.text().split(separator: "\n").first ?? ""))
    kill(survivor, SIGKILL)
  }

  private struct PipeEnd {
    let opened: EventLoopFuture<Void>
    let content: EventLoopFuture<String>
    func get() async throws { _ = try await content.get() }
    func text() async -> String { (try? await content.get()) ?? "" }
  }

  /// A named pipe and what is read from it until no process has it open any more.
  private func watchedPipe() throws -> (path: String, ended: PipeEnd) {
    let path = "/tmp/proconsul-check-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    try #require(mkfifo(path, 0o600) == 0)
    let loop = group.next()
    let opened = loop.makePromise(of: Void.self)
    let content = NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
      let pipe = open(path, O_RDONLY)
      opened.succeed()
      unlink(path)
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 256)
      while true {
        let count = read(pipe, &buffer, buffer.count)
        if count <= 0 { break }
        bytes += buffer.prefix(count)
      }
      close(pipe)
      return String(decoding: bytes, as: UTF8.self)
    }
    return (path, PipeEnd(opened: opened.futureResult, content: content))
  }
}

@Suite(.timeLimit(.minutes(1))) struct DockerProbeTests {
  private func docker(_ daemon: String, container: String = "web", timeout: GoDuration = .seconds(10)) -> DockerProbe {
    DockerProbe(
      container: container, arguments: ["check", "-v"], daemon: daemon, timeout: timeout, outputLimit: 8,
      dialer: Dialer(contexts: TLSContexts(nil)))
  }

  private static func frame(_ kind: UInt8, _ text: String) -> [UInt8] {
    [kind, 0, 0, 0, 0, 0, 0, UInt8(text.utf8.count)] + Array(text.utf8)
  }

  /// A Docker daemon with one container, in which every program prints and exits with `code`.
  private func daemon(_ host: String, code: Int) async throws -> TestServer {
    try await TestServer.http(host) { request in
      switch (request.head.method, request.head.uri) {
      case (.POST, "/containers/web/exec"):
        let isOrder = request.body.contains("\"Cmd\":[\"check\",\"-v\"]") && request.body.contains("\"Tty\":false")
        return .text(isOrder ? .created : .badRequest, "{\"Id\":\"e1\"}")
      case (.POST, "/exec/e1/start"):
        return HTTPAnswer(body: Self.frame(1, "fine\n") + Self.frame(2, "or not\n"))
      case (.GET, "/exec/e1/json"): return .text(.ok, "{\"Running\":false,\"ExitCode\":\(code)}")
      default: return .text(.notFound, "{\"message\":\"No such container: x\"}")
      }
    }
  }

  @Test(arguments: [(0, CheckStatus.passing), (1, .warning), (2, .critical)])
  func exitCodeAndOutputInTheContainerCount(code: Int, status: CheckStatus) async throws {
    let server = try await daemon("127.84.1.\(code + 1)", code: code)
    let result = await docker("tcp://\(server.place)").once()
    #expect(result == ProbeResult(status: status, output: "Captured 8 of 12 bytes\n...\n\nor not\n"))
    try await server.close()
  }

  @Test func aMissingContainerIsCritical() async throws {
    let server = try await daemon("127.84.1.9", code: 0)
    let result = await docker("tcp://\(server.place)", container: "x").once()
    #expect(result == .critical("Failed to create exec for container x: No such container: x"))
    try await server.close()
  }

  @Test(
    arguments: [
      ("unix:///nowhere/docker.sock", "dial unix /nowhere/docker.sock: connect: no such file or directory"),
      ("/nowhere/docker.sock", "dial unix /nowhere/docker.sock: connect: no such file or directory"),
      ("tcp://127.84.9.9:1", "dial tcp 127.84.9.9:1: connect: connection refused"),
      ("npipe://x", "unsupported address; give unix:///path or tcp://host:port"),
    ])
  func withoutADaemonTheCheckIsCritical(daemon: String, reason: String) async {
    #expect(await docker(daemon).once() == .critical("Failed to reach Docker at \(daemon): \(reason)"))
  }
}
