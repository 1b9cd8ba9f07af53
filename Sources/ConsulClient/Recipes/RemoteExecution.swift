import Model

/// Puts a job before the agents of a datacenter and follows what they tell.
public struct RemoteExecution: Sendable {
  private let client: ConsulClient
  private let job: RemoteJob
  private let prefix: String
  private let target: Events.Target

  /// How long the session lives without being renewed, and with it all that belongs to the job.
  private static let sessionTime = Duration.seconds(15)

  public init(client: ConsulClient, job: RemoteJob, prefix: String, target: Events.Target) {
    self.client = client
    self.job = job
    self.prefix = prefix
    self.target = target
  }

  /// Runs the job and returns what became of it, once nobody has told anything for long enough.
  ///
  /// - Parameters:
  ///   - replication: how long the job may take to reach the servers that agents ask.
  ///   - onAnswer: receives each answer as it comes.
  public func run(
    replication: Duration, onAnswer: (RemoteJob.Answer) -> Void
  ) async throws -> RemoteJobProgress {
    var settings = Sessions.Settings()
    settings.name = "Remote Exec"
    settings.behavior = .delete
    settings.ttl = Self.sessionTime
    let session = try await SessionKeeper(client: client, settings: settings, options: QueryOptions()) {
      try await Task.sleep(for: $0)
    }
    let place = RemoteJob.Place(prefix: prefix, session: session.id)
    let result: Result<RemoteJobProgress, any Error>
    do {
      result = .success(try await follow(place, replication, onAnswer))
    } catch {
      result = .failure(error)
    }
    // Also where this task was cancelled.
    await Task { [client] in
      await session.end()
      try? await client.kv.delete(prefix: place.folder)
    }.value
    return try result.get()
  }

  private func follow(
    _ place: RemoteJob.Place, _ replication: Duration, _ onAnswer: (RemoteJob.Answer) -> Void
  ) async throws -> RemoteJobProgress {
    let isWritten = try await client.kv.put(
      KVPair(key: place.job, value: job.encoded), if: .acquire(session: place.session))
    guard isWritten else { throw ClientError.malformedResponse("the job's key is held by another session") }
    try await Task.sleep(for: replication)
    _ = try await client.events.fire(RemoteJob.event, payload: place.payload, target: target)
    var progress = RemoteJobProgress()
    var options = QueryOptions()
    var lastSign = ContinuousClock.now
    while true {
      // An agent that runs the job gives signs of life; it gets twice the time.
      let patience = job.wait.duration * (progress.isRunning ? 2 : 1)
      let rest = patience - (ContinuousClock.now - lastSign)
      if rest <= .zero { return progress }
      options.waitTime = min(max(rest, .milliseconds(10)), .seconds(1))
      let found = try await client.kv.list(prefix: place.folder, options)
      options.waitIndex = found.metadata.index
      let answers = progress.take(found.value, in: place)
      if !answers.isEmpty { lastSign = .now }
      answers.forEach(onAnswer)
    }
  }
}
