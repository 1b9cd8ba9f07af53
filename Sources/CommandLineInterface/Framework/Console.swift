import ConsulClient
import Glibc
import Synchronization

/// The standard streams of the process, or what stands for them in tests. Bytes are written as they are.
struct Console: Sendable {
  enum Stream: Int32, Sendable {
    case out = 1
    case err = 2
  }

  /// Writes all bytes before it returns.
  let write: @Sendable (Stream, [UInt8]) -> Void
  /// Reads standard input to its end.
  let readInput: @Sendable () throws(FileError) -> [UInt8]

  static let standard = Console(
    write: { stream, bytes in writeAll(bytes, to: stream.rawValue) },
    readInput: { () throws(FileError) in try FileReader.readAll(descriptor: 0, name: "/dev/stdin") })

  /// Writes the text and a line break to standard output.
  func out(_ text: String) {
    write(.out, Array((text + "\n").utf8))
  }

  /// Writes the text and a line break to standard error.
  func err(_ text: String) {
    write(.err, Array((text + "\n").utf8))
  }

  /// Writes to a stream of the process. A reader that went away (`… | head -1`) ends the process as it ends any other
  /// tool, although the network layer has switched the signal off that would do so by itself.
  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if written < 0 && errno == EAGAIN {
        var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&poller, 1, -1)
      } else if written < 0 && errno == EPIPE {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        return
      } else if written < 0 && errno != EINTR {
        return
      }
    }
  }
}

/// Environment variables, as given at the start.
struct Environment: Sendable {
  private let variables: [String: String]

  init(_ variables: [String: String]) {
    self.variables = variables
  }

  /// Those of this process. Names and values that are not UTF-8 are repaired, as the tools that set them are few.
  static func ofProcess() -> Environment {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let pair = String(cString: text)
      if let equals = pair.firstIndex(of: "=") {
        variables[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
      }
      entry += 1
    }
    return Environment(variables)
  }

  subscript(name: String) -> String? {
    variables[name]
  }

  var all: [String: String] {
    variables
  }
}
