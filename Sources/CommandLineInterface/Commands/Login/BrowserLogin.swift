import Authentication
import ConsulClient
import Glibc
import Model
import Subprocess
import SystemPackage

/// A login in the browser: the address at the provider is opened, and the browser brings the provider's code to a listener of
/// this command.
enum BrowserLogin {
  /// How long a person may take.
  private static let patience = Duration.seconds(300)

  static func run(
    _ invocation: Invocation, method: String, listener address: String, meta: [String: String]
  ) async throws -> ACLToken {
    let listener = try CallbackListener(address)
    defer { listener.close() }
    let nonce = Identifier.random()
    let client = try invocation.client()
    let url = try await explaining("Error logging in") {
      try await client.acl.beginLogin(
        authMethod: method, redirectURI: "http://\(address)/oidc/callback", clientNonce: nonce, meta: meta)
    }
    try show(url, invocation)
    let callback = try await listener.wait(patience)
    return try await explaining("Error logging in") {
      try await client.acl.finishLogin(
        authMethod: method, state: callback.state, code: callback.code, clientNonce: nonce)
    }
  }

  /// Opens the address with `$BROWSER`, or the desktop's own way; in any case it is printed, so that somebody can open it.
  private static func show(_ url: String, _ invocation: Invocation) throws {
    let named = invocation.environment["BROWSER"] ?? ""
    let hasDesktop = ["DISPLAY", "WAYLAND_DISPLAY"].contains { invocation.environment[$0]?.isEmpty == false }
    let program = !named.isEmpty ? named : hasDesktop ? "xdg-open" : nil
    guard program != nil || isatty(1) == 1 || isatty(2) == 1 else {
      throw CommandFailure(
        "A login with the browser needs one: no desktop was found, BROWSER names no program, and nobody can read the "
          + "address to open")
    }
    invocation.console.err("Complete the login via your OIDC provider. Launching browser to:\n\n    \(url)\n")
    guard let program else { return }
    // Some browsers only return when they are closed: nobody waits for that.
    Task {
      let result = try? await Subprocess.run(
        program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: [url], output: .discarded,
        error: .discarded)
      if result?.terminationStatus.isSuccess != true {
        invocation.console.err("The browser could not be started; please open the address yourself.")
      }
    }
  }
}

/// Waits on a local address for the browser that comes back from the provider.
final class CallbackListener: Sendable {
  /// Bytes of a request's first line, which holds all that counts.
  private static let lineLimit = 16 << 10

  struct Callback: Sendable {
    var state: String
    var code: Secret
  }

  private let descriptor: Int32

  /// - Parameter address: `host:port`; the host must mean this machine.
  init(_ address: String) throws {
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
      throw CommandFailure("Invalid address \(address.goQuoted) for the browser to come back to: HOST:PORT is needed")
    }
    let host = String(address[..<colon])
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    let name = host == "localhost" ? "127.0.0.1" : host
    guard inet_pton(AF_INET, name, &place.sin_addr) == 1, name.hasPrefix("127.") || name == "0.0.0.0" else {
      throw CommandFailure("Invalid address \(address.goQuoted) for the browser to come back to: use localhost")
    }
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let bound = withUnsafePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard descriptor >= 0, bound == 0, listen(descriptor, 8) == 0 else {
      let code = errno
      if descriptor >= 0 { Glibc.close(descriptor) }
      throw CommandFailure("Error listening on \(address): \(String(cString: strerror(code)).lowercased())")
    }
  }

  func close() { Glibc.close(descriptor) }

  /// The first visit that carries a code or the provider's refusal. Waiting happens on a thread of its own.
  func wait(_ patience: Duration) async throws -> Callback {
    try await withCheckedThrowingContinuation { continuation in
      let box = Waiting { continuation.resume(with: Result { try self.accept(until: .now + patience) }) }
      var thread = pthread_t()
      let started = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<Waiting>.fromOpaque(argument).takeRetainedValue().work() }
          return nil
        }, Unmanaged.passRetained(box).toOpaque())
      guard started == 0 else {
        Unmanaged.passUnretained(box).release()
        return continuation.resume(throwing: CommandFailure("Error logging in: no thread can be started"))
      }
      pthread_detach(thread)
    }
  }

  private final class Waiting: Sendable {
    let work: @Sendable () -> Void
    init(_ work: @escaping @Sendable () -> Void) { self.work = work }
  }

  private func accept(until deadline: ContinuousClock.Instant) throws -> Callback {
    while true {
      guard Self.isReadable(descriptor, until: deadline) else {
        throw CommandFailure("Error logging in: the browser did not come back in time")
      }
      let connection = Glibc.accept(descriptor, nil, nil)
      guard connection >= 0 else { continue }
      defer { Glibc.close(connection) }
      let soon = min(deadline, .now + .seconds(10))
      guard let target = Self.target(connection, until: soon) else { continue }
      if let callback = try Self.answer(connection, target) { return callback }
    }
  }

  private static func isReadable(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> Bool {
    while true {
      let left = ContinuousClock.now.duration(to: deadline).components
      guard left.seconds >= 0 else { return false }
      let milliseconds = left.seconds &* 1000 &+ left.attoseconds / 1_000_000_000_000_000
      guard milliseconds > 0 else { return false }
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&poller, 1, Int32(clamping: milliseconds))
      if ready > 0 { return true }
      if ready < 0, errno != EINTR { return false }
    }
  }

  /// The path and query of a request, `GET TARGET HTTP/1.1`; nil for anything else.
  private static func target(_ connection: Int32, until deadline: ContinuousClock.Instant) -> String? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !bytes.contains(0x0A) {
      guard bytes.count < lineLimit, isReadable(connection, until: deadline) else { return nil }
      let count = read(connection, &buffer, buffer.count)
      guard count > 0 else { return nil }
      bytes += buffer[..<count]
    }
    let line = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    let words = line.split(separator: " ")
    return words.count >= 2 && words[0] == "GET" ? String(words[1]) : nil
  }

  /// Answers the browser; nil if it asked for something else (an icon).
  private static func answer(_ connection: Int32, _ target: String) throws -> Callback? {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0] == "/oidc/callback", parts.count == 2 else {
      send(connection, "404 Not Found", "There is nothing here.")
      return nil
    }
    let query = Dictionary(
      FormEncoding.decode(String(parts[1])).map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    if let error = query["error"] {
      send(connection, "400 Bad Request", "The provider refused the login. You can close this window.")
      throw CommandFailure("Error logging in: the provider refused: \(query["error_description"] ?? error)")
    }
    guard let state = query["state"], let code = query["code"] else {
      send(connection, "400 Bad Request", "The address lacks the code of the provider.")
      return nil
    }
    send(connection, "200 OK", "The login is being completed. You can close this window.")
    return Callback(state: state, code: Secret(code))
  }

  private static func send(_ connection: Int32, _ status: String, _ text: String) {
    let page = "<!doctype html><meta charset=utf-8><title>Login</title><p>\(text)</p>\n"
    let head =
      "HTTP/1.1 \(status)\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: \(page.utf8.count)\r\n"
      + "Connection: close\r\n\r\n"
    let bytes = Array((head + page).utf8)
    _ = bytes.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
  }
}
