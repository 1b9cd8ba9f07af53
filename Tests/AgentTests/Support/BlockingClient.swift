import Glibc

/// One HTTP connection on which a thread waits for each answer. Small on purpose: a test that kills its server wants to
/// know exactly which answers arrived.
struct BlockingClient: ~Copyable {
  struct Response {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]
  }

  private let descriptor: Int32
  private var received: [UInt8] = []

  /// - Returns: nil if nobody listens.
  init?(address: String, port: UInt16) {
    guard let descriptor = Self.connected(to: address, port: port) else { return nil }
    self.descriptor = descriptor
  }

  private static func connected(to address: String, port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    inet_pton(AF_INET, address, &target.sin_addr)
    let isConnected = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      close(descriptor)
      return nil
    }
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    return descriptor
  }

  deinit { close(descriptor) }

  /// - Returns: nil if the connection broke before the whole answer was here.
  mutating func send(_ method: String, _ path: String, _ body: [UInt8] = []) -> Response? {
    var bytes = Array("\(method) \(path) HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
    bytes += body
    guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return nil }
    return receive()
  }

  private mutating func receive() -> Response? {
    var headEnd: Int?
    while headEnd == nil {
      headEnd = received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
      if headEnd == nil, !receiveMore() { return nil }
    }
    guard let headEnd else { return nil }
    let lines = String(decoding: received[..<headEnd], as: UTF8.self).split(separator: "\r\n")
    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    guard let length = headers["content-length"].flatMap({ Int($0) }) else { return nil }
    while received.count < headEnd + length {
      guard receiveMore() else { return nil }
    }
    let body = Array(received[headEnd..<headEnd + length])
    received.removeFirst(headEnd + length)
    return Response(status: status, headers: headers, body: body)
  }

  private mutating func receiveMore() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    received += buffer[..<count]
    return true
  }
}
