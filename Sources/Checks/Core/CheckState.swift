import Model

/// How many results in a row it takes to change a status.
struct StatusThresholds: Sendable, Equatable {
  var successBeforePassing: Int
  /// At most `failuresBeforeCritical`; equal to it when the user gave none, so that the status goes straight to critical.
  var failuresBeforeWarning: Int
  var failuresBeforeCritical: Int

  init(successBeforePassing: Int = 0, failuresBeforeWarning: Int = 0, failuresBeforeCritical: Int = 0) {
    self.successBeforePassing = max(0, successBeforePassing)
    self.failuresBeforeCritical = max(0, failuresBeforeCritical)
    self.failuresBeforeWarning = failuresBeforeWarning > 0 ? failuresBeforeWarning : self.failuresBeforeCritical
  }

  init(_ definition: CheckType) {
    self.init(
      successBeforePassing: definition.successBeforePassing, failuresBeforeWarning: definition.failuresBeforeWarning,
      failuresBeforeCritical: definition.failuresBeforeCritical)
  }
}

/// Turns the results of single runs into the status of a check.
struct CheckState: Sendable, Equatable {
  let thresholds: StatusThresholds
  /// Results of one sort in a row; one of the two is zero after the first result.
  private(set) var successes: Int
  private(set) var failures: Int

  /// Begins with both counters at their thresholds, so that the first result counts at once, whatever it is: the status of the
  /// registration is a placeholder, not an observation.
  init(_ thresholds: StatusThresholds) {
    self.thresholds = thresholds
    successes = thresholds.successBeforePassing
    failures = thresholds.failuresBeforeCritical
  }

  /// Takes the result of one run. A warning is a success here: the service answered.
  ///
  /// - Returns: the status to report, or nil when the result does not count yet.
  mutating func record(_ result: CheckStatus) -> CheckStatus? {
    switch result {
    case .passing, .warning:
      failures = 0
      successes = min(successes, Int.max - 1) + 1
      return successes >= thresholds.successBeforePassing ? result : nil
    case .critical, .maintenance:
      successes = 0
      failures = min(failures, Int.max - 1) + 1
      if failures >= thresholds.failuresBeforeCritical { return .critical }
      return failures >= thresholds.failuresBeforeWarning ? .warning : nil
    }
  }
}
