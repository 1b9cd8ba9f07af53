import NIOCore

/// How remembered answers are kept current.
public enum CacheMode: Sendable {
  /// Followed: a blocking query to the servers brings every change. Such an answer is always current while the servers can
  /// be reached, so that what a client says about freshness does not matter.
  case followed
  /// Fetched when somebody asks and what is there is too old for them.
  case fetched
}

/// A read whose answer the agent may remember. Equal queries have equal answers.
public protocol CacheableQuery: ReadQuery, Hashable {
  static var cacheMode: CacheMode { get }
  /// Answers from a stream of events; nil where none tells what the query asks.
  ///
  /// - Parameter otherwise: asks the servers, where it turns out that they have no streams.
  func read(
    _ views: HealthViews, _ options: QueryOptions, on loop: any EventLoop,
    otherwise: @escaping @Sendable () -> (any PendingQuery)?,
    _ completion: @escaping @Sendable (Result<CachedAnswer<Reply>, ServerError>) -> Void
  ) -> StreamedRead?
}

extension CacheableQuery {
  public static var cacheMode: CacheMode { .followed }

  public func read(
    _ views: HealthViews, _ options: QueryOptions, on loop: any EventLoop,
    otherwise: @escaping @Sendable () -> (any PendingQuery)?,
    _ completion: @escaping @Sendable (Result<CachedAnswer<Reply>, ServerError>) -> Void
  ) -> StreamedRead? { nil }
}

/// A read that a stream of events answers: at once, or later.
public struct StreamedRead {
  /// Nil for one that was answered.
  let pending: (any PendingQuery)?
}

/// What a remembered answer answers. The token is part of it: servers leave out what it may not see.
struct CacheKey: Hashable, Sendable {
  let query: any Hashable & Sendable
  let datacenter: String
  let token: String

  static func == (a: CacheKey, b: CacheKey) -> Bool {
    a.datacenter == b.datacenter && a.token == b.token && AnyHashable(a.query) == AnyHashable(b.query)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(AnyHashable(query))
    hasher.combine(datacenter)
    hasher.combine(token)
  }
}

/// How old a remembered answer may be, for those that are not followed. Seconds.
public struct CacheFreshness: Sendable, Equatable {
  /// An older one is fetched anew; nil takes any. 0 always fetches.
  public var maxAge: UInt64?
  /// Whether an answer is fetched however young the remembered one is.
  public var mustRevalidate = false
  /// An answer up to this age is still good where the servers cannot be asked.
  public var staleIfError: UInt64 = 0

  public init() {}

  /// Whether an answer of this age does.
  func accepts(age: UInt64) -> Bool {
    if mustRevalidate || maxAge == 0 { return false }
    return age <= maxAge ?? .max
  }
}

/// An answer that came through the cache.
public struct CachedAnswer<Reply: Sendable>: Sendable {
  public var answer: Answer<Reply>
  /// For how many seconds the servers may know better; nil for an answer that had to be fetched or waited for.
  public var age: UInt64?
}
