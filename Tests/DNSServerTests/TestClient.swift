import Foundation
import Glibc
import Wire

/// Sends bytes over real sockets and waits for what comes back, at most ten seconds.
enum TestClient {
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  static func query(
    _ name: String, _ type: DNSRecordType = .a, id: UInt16 = 7, edns: UInt16? = nil, flags: DNSFlags = .recursionDesired
  ) throws -> [UInt8] {
    DNSQuery(
      id: id, flags: flags, question: DNSQuestion(name: try DNSName(name), type: type),
      extension: edns.map { DNSExtension(payloadSize: $0) }
    ).encoded()
  }

  /// Sends a datagram and returns the answer.
  static func datagram(_ bytes: [UInt8], to host: String, port: UInt16 = 8600) throws -> [UInt8] {
    let descriptor = try connect(host, port, SOCK_DGRAM)
    defer { close(descriptor) }
    guard send(descriptor, bytes, bytes.count, 0) == bytes.count else { throw Failure(description: "send") }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count >= 0 else { throw Failure(description: "no answer, errno \(errno)") }
    return Array(buffer[..<count])
  }

  /// Sends several messages at once and returns that many answers, in the order in which they come.
  static func stream(_ messages: [[UInt8]], to host: String, port: UInt16 = 8600) throws -> [[UInt8]] {
    let descriptor = try connect(host, port, SOCK_STREAM)
    defer { close(descriptor) }
    let bytes = messages.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xFF)] + $0 }
    guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw Failure(description: "send")
    }
    return try messages.map { _ in
      let length = try read(descriptor, 2)
      return try read(descriptor, Int(length[0]) << 8 | Int(length[1]))
    }
  }

  /// Whether the peer closes after these bytes.
  static func isClosed(after bytes: [UInt8], by host: String, port: UInt16 = 8600) throws -> Bool {
    let descriptor = try connect(host, port, SOCK_STREAM)
    defer { close(descriptor) }
    _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, 0) == 0
  }

  private static func read(_ descriptor: Int32, _ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var buffer = [UInt8](repeating: 0, count: count - bytes.count)
      let received = recv(descriptor, &buffer, buffer.count, 0)
      guard received > 0 else { throw Failure(description: "connection ended after \(bytes.count) bytes") }
      bytes += buffer[..<received]
    }
    return bytes
  }

  private static func address(_ host: String, _ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr(host)
    return address
  }

  private static func connect(_ host: String, _ port: UInt16, _ type: __socket_type) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
    var timeout = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var address = address(host, port)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      close(descriptor)
      throw Failure(description: "connect \(host):\(port), errno \(errno)")
    }
    return descriptor
  }

  /// A datagram socket that takes queries and never answers; closed when `body` ends.
  static func withSilentServer(on host: String, port: UInt16, _ body: () throws -> Void) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = address(host, port)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure(description: "bind") }
    try body()
  }

  static func isInstalled(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

  /// Runs a program and returns what it wrote.
  static func run(_ path: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }
}
