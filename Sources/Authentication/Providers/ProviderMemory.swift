import Model
import Synchronization

/// What an auth method learned of its provider: keys and addresses, so that a login does not have to ask for them. Keys that
/// an issuer has renewed are asked for when a signature fits none; not more often than every few seconds, so that forged
/// tokens do not become requests to the provider.
public final class ProviderMemory: Sendable {
  private struct Kept {
    var keys: KeySet?
    var keysURL = ""
    var keysTime = Timestamp()
    var provider: OIDCProvider?
    var providerTime = Timestamp()
  }

  /// Seconds between two requests for keys because a signature fitted none.
  private static let pause: Int64 = 5
  /// Seconds for which what a provider says of itself, and keys, are believed. A key that an issuer withdraws is not believed
  /// for longer.
  private static let lifetime: Int64 = 300

  private let kept = Mutex(Kept())

  public init() {}

  func provider(_ url: String, trust: OutboundRequest.Trust, now: Timestamp) -> Progress<OIDCProvider> {
    let known = kept.withLock { kept in
      kept.provider.flatMap { kept.providerTime.isWithin(Self.lifetime, of: now) ? $0 : nil }
    }
    if let known { return .done(known) }
    return OIDCProvider.discover(url, trust: trust).map { [self] provider in
      kept.withLock {
        $0.provider = provider
        $0.providerTime = now
      }
      return provider
    }
  }

  /// Succeeds if one of the keys at the URL signed the token.
  func verify(
    _ token: SignedToken, url: String, trust: OutboundRequest.Trust, now: Timestamp
  ) -> Progress<Void> {
    let known = kept.withLock { kept in
      kept.keysURL == url && kept.keysTime.isWithin(Self.lifetime, of: now) ? (kept.keys, kept.keysTime) : nil
    }
    if let (keys, time) = known, let keys {
      if keys.verifies(token) { return .done(()) }
      if time.isWithin(Self.pause, of: now) { return .failed(.signature(doing: JWTMethod.badSignature)) }
    }
    return KeySet.fetch(url, trust: trust).then { [self] (keys) throws(AuthenticationError) in
      kept.withLock {
        $0.keys = keys
        $0.keysURL = url
        $0.keysTime = now
      }
      guard keys.verifies(token) else { throw .signature(doing: JWTMethod.badSignature) }
      return .done(())
    }
  }
}

extension Timestamp {
  /// Whether this time lies at most so many seconds before `now`.
  func isWithin(_ limit: Int64, of now: Timestamp) -> Bool {
    let (age, overflow) = now.seconds.subtractingReportingOverflow(seconds)
    return !overflow && age >= 0 && age < limit
  }
}
