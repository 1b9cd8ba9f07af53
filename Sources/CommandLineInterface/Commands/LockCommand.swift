import ConsulClient
import Model

/// `consul lock`: runs a program while a lock, or one of several places, is held.
enum LockCommand {
  private static let childExitCode = Flag.bool(
    "child-exit-code", "End with code 2 if the program failed; without it, only failures of the lock itself count.")
  private static let monitorRetry = Flag.int(
    "monitor-retry", default: 3,
    "How many server errors in a row to pass over, one second apart, before the lock counts as lost. More of them ride "
      + "out short outages, but notice a lost lock later. 0 for none.")
  private static let limit = Flag.int("n", default: 1, "How many may hold a place at the same time.")
  private static let name = Flag.string("name", "Name of the session that holds the lock.")
  private static let passInput = Flag.bool("pass-stdin", "Give the program the standard input of this command.")
  private static let shell = Flag.bool(
    "shell", default: true, "Run the program by a shell: the one of the environment variable SHELL, or /bin/sh.")
  private static let timeout = Flag.duration(
    "timeout", "How long to wait for the lock, such as 500ms or 3h; 0 for ever.")
  private static let attempt = Flag.duration("try", "Older name of -timeout.")
  private static let verbose = Flag.bool("verbose", "Tell each step.")

  static var command: Command {
    Command(
      usage: "Usage: consul lock [options] prefix child...",
      about: """
        Takes the lock of a prefix of the KV store, runs a program while it is held, and gives it back. Others that ask
        for the same prefix wait meanwhile. With -n above 1 so many of them may hold a place at once; all must agree on
        the number.

            $ consul lock service/backup/lock ./backup.sh

        If the lock is lost, or this command is interrupted, the program gets SIGTERM, and SIGKILL five seconds later.
        It finds CONSUL_LOCK_HELD=true in its environment. The token needs write access below the prefix.
        """,
      clientFlags: ClientFlags.query,
      flags: [
        childExitCode.any, monitorRetry.any, limit.any, name.any, passInput.any, shell.any, timeout.any, attempt.any,
        verbose.any,
      ],
      startsProgram: true,
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    guard invocation.arguments.count >= 2 else {
      throw CommandFailure("Key prefix and child command must be specified")
    }
    guard invocation[limit] > 0 else { throw CommandFailure("Lock holder limit must be positive") }
    let patience = invocation.values.has(attempt) ? invocation[attempt] : invocation[timeout]
    guard patience.nanoseconds >= 0 else { throw CommandFailure("Timeout must be positive") }
    guard invocation[monitorRetry] >= 0 else { throw CommandFailure("Number for 'monitor-retry' must be >= 0") }

    let prefix = invocation.arguments[0].split(separator: "/").joined(separator: "/")
    let words = Array(invocation.arguments.dropFirst())
    let client = try invocation.client()
    // An agent that cannot be asked for its name cannot be relied on to keep a lock.
    _ = try await explaining("Error querying Consul agent") { try await client.agent.describe() }

    var settings = ExclusionSettings()
    settings.sessionName =
      invocation[name].isEmpty ? "Consul lock for '\(words.joined(separator: " "))' at '\(prefix)'" : invocation[name]
    settings.patience = patience.nanoseconds > 0 ? patience.duration : nil
    settings.monitorRetries = invocation[monitorRetry]
    settings.monitorRetryPause = .seconds(1)
    let exclusion: any Exclusion =
      invocation[limit] == 1
      ? DistributedLock(client: client, key: prefix + "/.lock", settings: settings)
      : DistributedSemaphore(client: client, prefix: prefix, limit: invocation[limit], settings: settings)
    let child = ChildProcess(
      words: words, shell: invocation[shell] ? invocation.environment.shell : nil,
      environment: ["CONSUL_LOCK_HELD": "true"])
    return try await Interrupts.cancelling {
      try await LockedRun(
        exclusion: exclusion, child: child, input: invocation[passInput] ? .inherited : .none,
        console: invocation.console, isVerbose: invocation[verbose], reportsFailure: invocation[childExitCode]
      ).perform()
    }
  }
}

/// One run of a program under a lock.
private struct LockedRun {
  let exclusion: any Exclusion
  let child: ChildProcess
  let input: ChildProcess.Input
  let console: Console
  let isVerbose: Bool
  let reportsFailure: Bool

  /// Exit code for a program that failed.
  private static let childFailed: Int32 = 2

  private enum Event {
    case finished(ChildProcess.Outcome)
    case lost
    case interrupted
  }

  func perform() async throws -> Int32 {
    tell("Setting up lock at path: \(exclusion.key)")
    tell("Attempting lock acquisition")
    guard try await acquire() else {
      throw CommandFailure("Shutdown triggered or timeout during lock acquisition")
    }
    tell("Starting handler")
    let (outcome, wasLost) = await runChild()
    if let complaint = outcome.complaint { console.err("Error running handler: \(complaint)") }
    tell(wasLost ? "Child terminated" : "Child terminated, releasing lock")
    // The lock has to be given back even when this command was interrupted, hence a task of its own.
    try await Task { try await giveBack(wasLost: wasLost) }.value
    if wasLost { return 1 }
    return reportsFailure && outcome != .exited(0) ? Self.childFailed : 0
  }

  private func acquire() async throws -> Bool {
    do {
      return try await exclusion.acquire()
    } catch is CancellationError {
      return false
    } catch {
      throw CommandFailure("Lock acquisition failed: \(describe(error))")
    }
  }

  /// Runs the program until it ends; ends it when the lock is lost or this task is cancelled.
  private func runChild() async -> (outcome: ChildProcess.Outcome, wasLost: Bool) {
    await withTaskGroup(of: Event.self) { group in
      group.addTask { .finished(await child.run(input: input)) }
      group.addTask {
        await exclusion.waitUntilLost()
        return Task.isCancelled ? .interrupted : .lost
      }
      var wasLost = false
      while let event = await group.next() {
        switch event {
        case .finished(let outcome):
          group.cancelAll()
          return (outcome, wasLost)
        case .lost:
          wasLost = true
          console.err("Lock lost, killing child")
          group.cancelAll()
        case .interrupted:
          console.err("Shutdown triggered, killing child")
        }
      }
      return (.exited(0), wasLost)
    }
  }

  private func giveBack(wasLost: Bool) async throws {
    do {
      try await exclusion.release()
    } catch {
      // A lost lock has nothing to give back but the session.
      guard wasLost else { throw CommandFailure("Lock release failed: \(describe(error))") }
    }
    do {
      tell(try await exclusion.cleanUp() ? "Cleanup succeeded" : "Cleanup aborted, lock in use")
    } catch {
      throw CommandFailure("Cleanup failed: \(describe(error))")
    }
  }

  private func tell(_ step: String) {
    if isVerbose { console.out(step) }
  }
}
