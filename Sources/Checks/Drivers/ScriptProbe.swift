import Model
import NIOCore

/// Runs a program: its exit code is the status, what it prints is the output.
struct ScriptProbe: Probe {
  let arguments: [String]
  let timeout: GoDuration
  let outputLimit: Int

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    let script = ScriptRun()
    let attempt = Attempt(on: loop, timeout: timeout, finish)
    let timeout = timeout
    attempt.limit({ .critical("Timed out (\(timeout)) running check") }, after: { script.kill() })
    script.start(arguments, outputLimit: outputLimit) { outcome in
      switch outcome {
      case .notStarted(let reason): attempt.finish(.critical(reason))
      case .exited(let code, let output):
        attempt.finish(ProbeResult(status: CheckStatus(exitCode: code), output: output.textWithLoss))
      }
    }
    return RunningScript(attempt: attempt, script: script)
  }
}

/// A run of a program, which is killed when nobody waits for it any more.
struct RunningScript: Abandonable {
  let attempt: Attempt
  let script: ScriptRun

  func abandon() {
    attempt.abandon()
    script.kill()
  }
}
