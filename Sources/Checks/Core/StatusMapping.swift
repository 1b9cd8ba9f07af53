import Model

extension CheckStatus {
  /// What the status code of an HTTP answer says.
  init(httpStatus code: Int) {
    switch code {
    case 200...299: self = .passing
    case 429: self = .warning
    default: self = .critical
    }
  }

  /// What the exit code of a program says.
  init(exitCode code: Int) {
    switch code {
    case 0: self = .passing
    case 1: self = .warning
    default: self = .critical
    }
  }
}

/// What one run of a check found.
struct ProbeResult: Sendable, Equatable {
  var status: CheckStatus
  var output: String

  static func passing(_ output: String) -> ProbeResult { ProbeResult(status: .passing, output: output) }
  static func critical(_ output: String) -> ProbeResult { ProbeResult(status: .critical, output: output) }
}
