import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// How a program ended.
enum ScriptOutcome: Sendable {
  case exited(code: Int, output: TailBuffer)
  case notStarted(reason: String)
}

/// One execution of a program in a process group of its own, so that it can be killed together with what it started.
final class ScriptRun: Sendable {
  private struct State {
    var group: pid_t?
    var isKilled = false
    var task: Task<Void, Never>?
  }
  private let state = Mutex(State())

  /// Starts the program with the agent's environment and working directory, no input, and both outputs as one.
  ///
  /// - Parameter done: called once, on any thread, also after `kill`, when the program has ended.
  func start(_ arguments: [String], outputLimit: Int, _ done: @escaping @Sendable (ScriptOutcome) -> Void) {
    let program: String
    do {
      program = try Self.locate(arguments.first ?? "")
    } catch {
      return done(.notStarted(reason: error.reason))
    }
    let task = Task {
      let outcome = await self.execute(program, arguments, outputLimit)
      self.state.withLock {
        $0.group = nil
        $0.task = nil
      }
      done(outcome)
    }
    state.withLock { if !$0.isKilled { $0.task = task } }
  }

  /// Kills the whole process group.
  func kill() {
    let task = state.withLock { state in
      state.isKilled = true
      if let group = state.group { _ = Glibc.kill(-group, SIGKILL) }
      defer { state.task = nil }
      return state.task
    }
    // A descendant that left the group may still hold the output open: do not wait for it.
    task?.cancel()
  }

  private func execute(_ program: String, _ arguments: [String], _ outputLimit: Int) async -> ScriptOutcome {
    var options = PlatformOptions()
    options.processGroupID = 0
    do {
      let result = try await Subprocess.run(
        .path(FilePath(program)),
        arguments: Arguments(executablePathOverride: arguments.first, remainingValues: Array(arguments.dropFirst())),
        platformOptions: options, input: .none, output: .sequence, error: .combinedWithOutput
      ) { execution in
        self.began(execution.processIdentifier.value)
        var output = TailBuffer(limit: outputLimit)
        for try await chunk in execution.standardOutput {
          chunk.withUnsafeBytes { output.append($0) }
        }
        return output
      }
      switch result.terminationStatus {
      case .exited(let code): return .exited(code: Int(code), output: result.closureResult)
      case .signaled: return .exited(code: -1, output: result.closureResult)
      }
    } catch let error as SubprocessError {
      guard error.code == .spawnFailed, let cause = error.underlyingError else {
        return .notStarted(reason: "\(program): \(error)")
      }
      return .notStarted(reason: "fork/exec \(program): \(errnoText(cause.rawValue))")
    } catch {
      return .notStarted(reason: "\(program): \(error)")
    }
  }

  private func began(_ group: pid_t) {
    state.withLock { state in
      state.group = group
      if state.isKilled { _ = Glibc.kill(-group, SIGKILL) }
    }
  }

  struct NotFound: Error {
    var reason: String
  }

  /// The path of a program: as given if it has a slash, else from the first folder of `PATH` that has it.
  static func locate(_ name: String) throws(NotFound) -> String {
    if name.contains("/") {
      guard access(name, X_OK) == 0 else { throw NotFound(reason: "fork/exec \(name): \(errnoText(errno))") }
      guard isFile(name) else { throw NotFound(reason: "fork/exec \(name): \(errnoText(EACCES))") }
      return name
    }
    let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    for folder in folders.split(separator: ":") where !name.isEmpty && folder.hasPrefix("/") {
      let path = "\(folder)/\(name)"
      if access(path, X_OK) == 0, isFile(path) { return path }
    }
    throw NotFound(reason: "exec: \"\(name)\": executable file not found in $PATH")
  }

  private static func isFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
