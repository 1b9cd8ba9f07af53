import ConsulClient
import Synchronization

@testable import CommandLineInterface

/// Collects what a command prints.
final class CapturedConsole: Sendable {
  private let written = Mutex<(out: [UInt8], err: [UInt8])>(([], []))
  private let input: [UInt8]

  init(input: String = "") {
    self.input = Array(input.utf8)
  }

  var console: Console {
    Console(
      write: { stream, bytes in
        self.written.withLock { stream == .out ? ($0.out += bytes) : ($0.err += bytes) }
      },
      readInput: { () throws(FileError) in self.input })
  }

  var out: String { String(decoding: written.withLock { $0.out }, as: UTF8.self) }
  var err: String { String(decoding: written.withLock { $0.err }, as: UTF8.self) }
}

/// Runs the program with these words and returns its exit code and what it printed.
func runProgram(
  _ words: String..., environment: [String: String] = [:], input: String = ""
) async -> (code: Int32, out: String, err: String) {
  let captured = CapturedConsole(input: input)
  let code = await CommandLineInterface.run(
    arguments: words, environment: Environment(environment), console: captured.console)
  return (code, captured.out, captured.err)
}
