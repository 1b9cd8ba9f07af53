/// A session that is renewed for as long as this object is told to.
///
/// Renewal happens twice per time to live. If the agent does not answer, it is asked again each second until the time to
/// live has passed; then, or when the session is gone, the session counts as lost.
actor SessionKeeper {
  nonisolated let id: String
  private let renewal: Task<Void, Never>
  private let client: ConsulClient
  private let options: QueryOptions

  /// How long to wait before an unanswered renewal is tried again.
  private static let retryPause = Duration.seconds(1)

  /// Creates the session and starts to renew it.
  init(
    client: ConsulClient, settings: Sessions.Settings, options: QueryOptions, pause: @escaping Pause
  ) async throws {
    let id = try await client.sessions.create(settings, options)
    self.id = id
    self.client = client
    self.options = options
    let ttl = settings.ttl ?? .seconds(15)
    renewal = Task {
      var unanswered = Duration.zero
      while !Task.isCancelled {
        let wait = unanswered == .zero ? ttl / 2 : Self.retryPause
        do { try await pause(wait) } catch { return }
        do {
          guard try await client.sessions.renew(id, options) else { return }
          unanswered = .zero
        } catch {
          unanswered += wait
          if unanswered >= ttl { return }
        }
      }
    }
  }

  /// Returns when the session is lost, or was ended.
  nonisolated func waitUntilLost() async {
    await withTaskCancellationHandler {
      await renewal.value
    } onCancel: {
      renewal.cancel()
    }
  }

  /// Stops the renewal and destroys the session. If the agent cannot be reached, the session ends by itself.
  func end() async {
    renewal.cancel()
    try? await client.sessions.destroy(id, options)
  }
}

/// Waits for some time; tests wait for no time at all. Throws `CancellationError`.
public typealias Pause = @Sendable (Duration) async throws -> Void
