/// What a lock and a semaphore have in common: a place that a process holds or waits for.
public protocol Exclusion: Sendable {
  /// Where the state of the exclusion is kept.
  var key: String { get }

  /// Waits for a place.
  /// - Returns: false if none became free within the settings' patience.
  /// - Throws: `ClientError`, or `CancellationError` when the task is cancelled; no place is held then.
  func acquire() async throws -> Bool

  /// Returns when the place that is held is lost, because the session ended or an operator took the key away; or when
  /// the calling task is cancelled.
  func waitUntilLost() async

  /// Gives the place back.
  func release() async throws

  /// Removes the keys if nobody uses them.
  /// - Returns: false if someone does.
  func cleanUp() async throws -> Bool
}

/// How a lock or semaphore behaves.
public struct ExclusionSettings: Sendable {
  /// Shown in the list of sessions.
  public var sessionName = "Consul API Lock"
  /// How long the place is kept for a holder that fell silent.
  public var sessionTTL = Duration.seconds(15)
  /// How long `acquire` waits; nil for as long as it takes.
  public var patience: Duration?
  /// How many server errors (5xx) in a row are passed over while the place is held.
  public var monitorRetries = 0
  /// The pause before each of them is tried again.
  public var monitorRetryPause = Duration.seconds(2)
  /// Written to the key with the lock, for whoever looks.
  public var value: [UInt8] = []
  public var options = QueryOptions()
  /// How time passes.
  public var pause: Pause = { try await Task.sleep(for: $0) }
  /// How time is read, since some moment.
  public var now: @Sendable () -> Duration = {
    ContinuousClock.now - ExclusionSettings.start
  }

  private static let start = ContinuousClock.now

  /// How long one query waits for a change.
  static let queryWait = Duration.seconds(15)
  /// The pause after a key was refused although nobody holds it: its last holder's lock delay has not passed.
  static let delayPause = Duration.seconds(5)

  public init() {}
}

/// Bounds the waiting of `acquire`.
struct Deadline {
  private let settings: ExclusionSettings
  private let end: Duration?

  init(_ settings: ExclusionSettings) {
    self.settings = settings
    end = settings.patience.map { settings.now() + $0 }
  }

  /// Time left, at most `limit`; nil when it has run out.
  func remaining(atMost limit: Duration) -> Duration? {
    guard let end else { return limit }
    let left = end - settings.now()
    return left > .zero ? min(left, limit) : nil
  }
}
