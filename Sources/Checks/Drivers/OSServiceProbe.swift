import Glibc
import Model
import NIOCore

/// Asks systemd whether a service of the host is running.
struct OSServiceProbe: Probe {
  private static let outputLimit = 4096

  /// The unit; `.service` may be left out.
  let service: String
  let timeout: GoDuration

  /// Whether systemd manages this host: the folder exists exactly then (`sd_booted(3)`).
  static var isSupported: Bool { access("/run/systemd/system", F_OK) == 0 }

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    let script = ScriptRun()
    let attempt = Attempt(on: loop, timeout: timeout, finish)
    let service = service
    let timeout = timeout
    let late = "Timed out (\(timeout)) asking systemd for service \"\(service)\""
    attempt.limit({ ProbeResult(status: .warning, output: late) }, after: { script.kill() })
    let arguments = ["systemctl", "show", "--no-pager", "--property=LoadState,ActiveState,SubState", "--", service]
    script.start(arguments, outputLimit: Self.outputLimit) { outcome in
      attempt.finish(UnitState.judge(service: service, outcome))
    }
    return RunningScript(attempt: attempt, script: script)
  }
}

/// What systemd knows of a unit.
struct UnitState: Sendable, Equatable {
  var load = ""
  var active = ""
  var sub = ""

  /// Reads lines of `Name=value`.
  init(_ text: String) {
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "LoadState": load = String(parts[1])
      case "ActiveState": active = String(parts[1])
      case "SubState": sub = String(parts[1])
      default: break
      }
    }
  }

  /// Passing if it runs, critical if it does not, a warning if that cannot be told.
  func result(service: String) -> ProbeResult {
    let state = "Service \"\(service)\" is \(active)\(sub.isEmpty ? "" : " (\(sub))")"
    if load == "not-found" { return .critical("Service \"\(service)\" does not exist") }
    switch active {
    case "active", "reloading", "refreshing": return .passing(state)
    case "inactive", "failed", "deactivating": return .critical(state)
    case "": return ProbeResult(status: .warning, output: "systemd says nothing about service \"\(service)\"")
    default: return ProbeResult(status: .warning, output: state)
    }
  }

  static func judge(service: String, _ outcome: ScriptOutcome) -> ProbeResult {
    switch outcome {
    case .notStarted(let reason): ProbeResult(status: .warning, output: "Cannot ask systemd: \(reason)")
    case .exited(0, let output): UnitState(output.text).result(service: service)
    case .exited(_, let output): ProbeResult(status: .warning, output: "Cannot ask systemd: \(output.text)")
    }
  }
}
