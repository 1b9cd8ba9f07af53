import ConsulClient

/// The flags that say which agents something is for: those of `event` and `exec`.
enum EventTarget {
  private static let node = Flag.string("node", "Regular expression for the names of the nodes that it is for.")
  private static let service = Flag.string(
    "service", "Regular expression for the names of the services whose agents it is for.")
  private static let tag = Flag.string(
    "tag", "Regular expression for a tag that such a service has; only with -service.")

  static var flags: [AnyFlag] { [node.any, service.any, tag.any] }

  /// - Throws: `CommandFailure` for expressions that are none, and for a tag without a service.
  static func target(_ invocation: Invocation) throws -> Events.Target {
    guard invocation[tag].isEmpty || !invocation[service].isEmpty else {
      throw CommandFailure("Cannot provide tag filter without service filter.")
    }
    for (subject, pattern) in [("node", invocation[node]), ("service", invocation[service]), ("tag", invocation[tag])] {
      _ = try RegularExpression(pattern, complaint: "Failed to compile \(subject) filter regexp")
    }
    return Events.Target(node: invocation[node], service: invocation[service], tag: invocation[tag])
  }
}
