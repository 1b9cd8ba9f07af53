import Glibc

/// # Fuzz
///
/// Feeds parsers and what stands behind them with inputs that nobody meant: real ones, changed at random. An input that
/// crashes, takes too long, needs too much memory or breaks a promise ends the program and is printed with the seed.
///
///     fuzz [--seconds N] [--seed S] [TARGET …]     all targets unless some are named, N seconds each
///     fuzz --input FILE TARGET                     one input, such as a failure prints
@main
enum Fuzz {
  private static var targets: [any FuzzTarget] {
    [
      JSONTarget(), FilterTarget(), HCLTarget(), DNSTarget(), MessagePackTarget(), RequestTarget(), ArchiveTarget(),
      LogTarget(), GossipTarget(), RPCTarget(), RaftTarget(), TokenTarget(), KeySetTarget(), BearerTarget(),
      StreamTarget(),
    ]
  }

  static func main() {
    var seconds = 60
    var seed = UInt64.random(in: 0...UInt64.max)
    var input: String?
    var names: [String] = []
    var words = CommandLine.arguments.dropFirst()
    while let word = words.popFirst() {
      guard word.hasPrefix("--") else {
        names.append(word)
        continue
      }
      guard let value = words.popFirst() else { usage() }
      switch word {
      case "--seconds": seconds = Int(value) ?? seconds
      case "--seed": seed = UInt64(value) ?? seed
      case "--input": input = value
      default: usage()
      }
    }
    let targets = targets
    let chosen = names.isEmpty ? targets : targets.filter { names.contains($0.name) }
    guard !chosen.isEmpty, names.count <= chosen.count else { usage() }
    Witness.install()
    if let input {
      guard chosen.count == 1, let bytes = read(input) else { usage() }
      Fuzzer.runOne(chosen[0], bytes)
      print("\(chosen[0].name): fine")
    } else {
      for target in chosen { Fuzzer(target, seed: seed).run(seconds: seconds) }
    }
  }

  private static func usage() -> Never {
    print("usage: fuzz [--seconds N] [--seed S] [--input FILE] [\(targets.map(\.name).joined(separator: "|"))]")
    exit(2)
  }

  private static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
  }
}

/// Something that takes bytes from outside.
protocol FuzzTarget {
  var name: String { get }
  /// Inputs that it understands, to begin with.
  var corpus: [[UInt8]] { get }
  /// Pieces that mean something in its inputs.
  var tokens: [String] { get }
  /// Takes an input. What it returns tells kinds of outcome apart: inputs with a new one are changed further.
  ///
  /// - Throws: `BrokenPromise`
  func take(_ input: [UInt8]) throws(BrokenPromise) -> Outcome
}

extension FuzzTarget {
  var tokens: [String] { [] }
}

/// What became of an input.
enum Outcome: Hashable {
  /// It was understood; the text tells as what.
  case accepted(String)
  case refused(String)

  /// By the words of an error: its numbers and names differ with every input.
  static func refused(by error: any Error) -> Outcome {
    .refused(String("\(error)".filter { $0.isLetter || $0 == " " }.prefix(60)))
  }
}

extension Outcome {
  /// What nobody may be believed for is refused, however well it is made.
  static func disbelieved(_ error: any Error) -> Outcome {
    guard case .refused(let words) = refused(by: error) else { return .accepted("") }
    return .accepted("disbelieved: \(words)")
  }
}

/// Something that always holds did not.
struct BrokenPromise: Error {
  let what: String
}
