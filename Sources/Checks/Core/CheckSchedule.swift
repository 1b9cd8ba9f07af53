import Model

/// When a check runs, and how long a run may take.
struct CheckSchedule: Sendable, Equatable {
  /// Checks that ask for less run this often.
  static let shortestInterval = GoDuration.seconds(1)
  static let defaultTimeout = GoDuration.seconds(10)
  static let defaultScriptTimeout = GoDuration.seconds(30)

  /// From the end of one run to the start of the next, so that runs of one check never overlap.
  let interval: GoDuration
  let timeout: GoDuration

  init(_ definition: CheckType, kind: CheckKind) {
    interval = max(definition.interval, Self.shortestInterval)
    if definition.timeout > .zero {
      timeout = definition.timeout
    } else {
      timeout = kind == .script || kind == .docker ? Self.defaultScriptTimeout : Self.defaultTimeout
    }
  }

  /// How long the first run waits: somewhere within the interval, so that checks registered together do not run together.
  func firstDelay(_ stagger: (GoDuration) -> GoDuration) -> GoDuration {
    min(max(stagger(interval), .zero), interval)
  }
}
