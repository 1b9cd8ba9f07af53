import Model
import NIOCore
import NIOHTTP1

/// Runs a program in a container through the Docker Engine API: its exit code is the status, what it prints is the output.
struct DockerProbe: Probe {
  private static let replyLimit = 64 << 10

  let container: String
  let arguments: [String]
  /// The daemon: a path, `unix://…`, `tcp://…` or `http://…`.
  let daemon: String
  let timeout: GoDuration
  let outputLimit: Int
  let dialer: Dialer

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    let attempt = Attempt(on: loop, timeout: timeout, finish)
    let timeout = timeout
    attempt.limit { .critical("Timed out (\(timeout)) running check") }
    create(attempt)
    return attempt
  }

  /// Prepares the execution …
  private func create(_ attempt: Attempt) {
    let order: Dynamic = [
      "AttachStdin": false, "AttachStdout": true, "AttachStderr": true, "Tty": false,
      "Cmd": .array(arguments.map { .string($0) }),
    ]
    ask(attempt, "POST", "/containers/\(pathSegment(container))/exec", order, limit: Self.replyLimit) { reply in
      let answer = try? Dynamic(json: reply.body.bytes)
      guard reply.status == 201, let execution = answer?["Id"]?.string, !execution.isEmpty else {
        return refused("create exec for container \(container)", reply, answer)
      }
      start(attempt, execution)
      return nil
    }
  }

  /// … starts it and reads what it prints until it ends …
  private func start(_ attempt: Attempt, _ execution: String) {
    let order: Dynamic = ["Detach": false, "Tty": false]
    let path = "/exec/\(pathSegment(execution))/start"
    ask(attempt, "POST", path, order, limit: outputLimit, isStream: true) { reply in
      guard reply.status == 200 || reply.status == 101 else {
        return refused("start exec in container \(container)", reply, try? Dynamic(json: reply.body.bytes))
      }
      inspect(attempt, execution, reply.body)
      return nil
    }
  }

  /// … and asks how it ended.
  private func inspect(_ attempt: Attempt, _ execution: String, _ output: TailBuffer) {
    ask(attempt, "GET", "/exec/\(pathSegment(execution))/json", nil, limit: Self.replyLimit) { reply in
      let answer = try? Dynamic(json: reply.body.bytes)
      guard reply.status == 200, let code = answer?["ExitCode"]?.int else {
        return refused("inspect exec in container \(container)", reply, answer)
      }
      return ProbeResult(status: CheckStatus(exitCode: Int(code)), output: output.textWithLoss)
    }
  }

  private func refused(_ what: String, _ reply: HTTPReply, _ answer: Dynamic?) -> ProbeResult {
    .critical("Failed to \(what): \(answer?["message"]?.string ?? reply.statusText)")
  }

  /// - Parameter next: judges the reply; nil goes on with another request.
  private func ask(
    _ attempt: Attempt, _ method: String, _ path: String, _ order: Dynamic?, limit: Int, isStream: Bool = false,
    _ next: @escaping @Sendable (HTTPReply) -> ProbeResult?
  ) {
    let endpoint: Endpoint
    do {
      endpoint = try Self.endpoint(daemon)
    } catch {
      return attempt.finish(.critical("Failed to reach Docker at \(daemon): \(error.text)"))
    }
    var question = HTTPQuestion(method: method, target: path, headers: ["Host": "docker", "Connection": "close"])
    if let order {
      question.body = Array(order.json.utf8)
      question.headers.add(name: "Content-Type", value: "application/json")
      question.headers.add(name: "Content-Length", value: String(question.body.count))
    }
    let exchange = HTTPExchange(dialer: dialer, attempt: attempt, outputLimit: limit, isDockerStream: isStream)
    exchange.perform(question, endpoint, tls: nil) { result in
      switch result {
      case .failure(let error): attempt.finish(.critical("Failed to reach Docker at \(daemon): \(error.text)"))
      case .success(let reply): if let result = next(reply) { attempt.finish(result) }
      }
    }
  }

  static func endpoint(_ daemon: String) throws(NetworkFailure) -> Endpoint {
    if daemon.hasPrefix("/") { return .unix(path: daemon) }
    if daemon.hasPrefix("unix://") { return .unix(path: String(daemon.dropFirst(7))) }
    for scheme in ["tcp://", "http://"] where daemon.hasPrefix(scheme) {
      let place = daemon.dropFirst(scheme.count).prefix { $0 != "/" }
      return .tcp(try HostPort(String(place)))
    }
    throw NetworkFailure("unsupported address; give unix:///path or tcp://host:port")
  }

  /// A name as one part of a path: nothing in it can end the part.
  private func pathSegment(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    return String(
      decoding: text.utf8.flatMap { byte -> [UInt8] in
        let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        if isPlain || "-_.".utf8.contains(byte) { return [byte] }
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }, as: UTF8.self)
  }
}
