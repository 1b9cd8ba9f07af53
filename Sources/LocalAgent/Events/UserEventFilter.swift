import Model

/// Why an event was not sent. Texts are the reference's.
public enum UserEventError: Error, Equatable, CustomStringConvertible {
  case tagWithoutService
  /// `filter` is `node`, `service` or `tag`.
  case invalidFilter(filter: String, reason: String)
  /// The carrier refused it.
  case notSent(String)

  public var description: String {
    switch self {
    case .tagWithoutService: "Cannot provide tag filter without service filter"
    case .invalidFilter(let filter, let reason): "Invalid \(filter) filter: error parsing regexp: \(reason)"
    case .notSent(let reason): "error broadcasting event: \(reason)"
    }
  }
}

/// What the filters of events look at: an agent's node and services.
struct UserEventAudience: Sendable {
  var node = ""
  var services: [(name: String, tags: [String])] = []
}

/// The filters of an event, read once. An empty filter is not there.
struct UserEventFilter {
  private let node: Pattern?
  private let service: Pattern?
  private let tag: Pattern?

  /// - Throws: `tagWithoutService`, `invalidFilter`.
  init(_ event: UserEvent) throws(UserEventError) {
    if event.serviceFilter.isEmpty, !event.tagFilter.isEmpty { throw .tagWithoutService }
    node = try Self.pattern(event.nodeFilter, "node")
    service = try Self.pattern(event.serviceFilter, "service")
    tag = try Self.pattern(event.tagFilter, "tag")
  }

  private static func pattern(_ text: String, _ filter: String) throws(UserEventError) -> Pattern? {
    if text.isEmpty { return nil }
    do throws(Pattern.Invalid) {
      return try Pattern(text)
    } catch {
      throw .invalidFilter(filter: filter, reason: error.reason)
    }
  }

  /// Whether the event is for an agent: its node matches, and one of its services with one of its tags.
  func admits(_ audience: UserEventAudience) -> Bool {
    if let node, !node.matches(audience.node) { return false }
    guard let service else { return true }
    return audience.services.contains { candidate in
      guard service.matches(candidate.name) else { return false }
      return tag.map { tag in candidate.tags.contains { tag.matches($0) } } ?? true
    }
  }
}
