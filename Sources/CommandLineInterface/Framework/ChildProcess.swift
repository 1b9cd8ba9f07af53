import Subprocess
import SystemPackage

/// A program that a command starts for the user: with the user's terminal for its output, and with everything that the
/// user's shell would give it.
struct ChildProcess: Sendable {
  enum Input: Sendable {
    case none
    /// The standard input of this process.
    case inherited
    case bytes([UInt8])
  }

  /// How it ended.
  enum Outcome: Sendable, Equatable {
    case exited(Int32)
    case signaled(Int32)
    /// It could not be started.
    case failed(String)

    /// What to tell if it did not end well.
    var complaint: String? {
      switch self {
      case .exited(0): nil
      case .exited(let code): "exit status \(code)"
      case .signaled(let number): "signal: \(Self.signalNames[number] ?? String(number))"
      case .failed(let reason): reason
      }
    }

    private static let signalNames: [Int32: String] = [
      1: "hangup", 2: "interrupt", 3: "quit", 6: "aborted", 9: "killed", 11: "segmentation fault", 13: "broken pipe",
      15: "terminated",
    ]
  }

  let executable: String
  let arguments: [String]
  /// Added to the environment of this process.
  var environment: [String: String]

  /// How long a program may take to end after `SIGTERM`, before `SIGKILL`.
  private static let grace = Duration.seconds(5)

  /// - Parameters:
  ///   - words: the program and its arguments, or the parts of a script.
  ///   - shell: the shell that runs the words, joined by spaces, as a script; nil to start the program itself.
  init(words: [String], shell: String?, environment: [String: String] = [:]) {
    self.environment = environment
    if let shell {
      executable = shell
      arguments = ["-c", words.joined(separator: " ")]
    } else {
      executable = words.first ?? ""
      arguments = Array(words.dropFirst())
    }
  }

  /// Runs the program to its end. If the task is cancelled, it is asked to end, and killed after a grace period.
  func run(input: Input) async -> Outcome {
    var platform = PlatformOptions()
    platform.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: Self.grace)]
    let configuration = Configuration(
      executable: executable.contains("/") ? .path(FilePath(executable)) : .name(executable),
      arguments: Arguments(arguments),
      environment: .inherit.updating(
        Dictionary(uniqueKeysWithValues: environment.map { (Subprocess.Environment.Key(stringLiteral: $0), $1) })),
      platformOptions: platform)
    do {
      let status =
        switch input {
        case .none: try await Self.start(configuration, input: .none)
        case .inherited: try await Self.start(configuration, input: .currentStandardInput)
        case .bytes(let bytes): try await Self.start(configuration, writing: bytes)
        }
      return switch status {
      case .exited(let code): .exited(code)
      case .signaled(let number): .signaled(number)
      }
    } catch {
      return .failed(reason(error))
    }
  }

  private static func start(
    _ configuration: Configuration, input: some InputProtocol
  ) async throws -> TerminationStatus {
    try await Subprocess.run(
      configuration, input: input, output: .currentStandardOutput, error: .currentStandardError
    ).terminationStatus
  }

  /// A program need not read its input, or not all of it; that is no failure. The library's own inputs end this process in
  /// that case, therefore the input is written here.
  private static func start(_ configuration: Configuration, writing bytes: [UInt8]) async throws -> TerminationStatus {
    try await Subprocess.run(
      configuration, input: .inputWriter, output: .currentStandardOutput, error: .currentStandardError
    ) { execution in
      _ = try? await execution.standardInputWriter.write(bytes)
      try? await execution.standardInputWriter.finish()
    }.terminationStatus
  }

  private func reason(_ error: any Error) -> String {
    if let error = error as? SubprocessError, error.code == .executableNotFound {
      return executable.contains("/")
        ? "fork/exec \(executable): no such file or directory"
        : "exec: \"\(executable)\": executable file not found in $PATH"
    }
    return "\(error)"
  }
}

extension Environment {
  /// The user's shell.
  var shell: String {
    self["SHELL"].flatMap { $0.isEmpty ? nil : $0 } ?? "/bin/sh"
  }
}
