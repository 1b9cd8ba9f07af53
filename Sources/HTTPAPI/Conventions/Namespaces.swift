/// Namespaces and partitions do not exist here; requests that name one are refused rather than misunderstood.
enum Namespaces {
  private static let kinds: [(parameter: String, header: RequestHeader, shown: String, plural: String)] = [
    ("ns", .namespace, "X-Consul-Namespace", "Namespaces"),
    ("partition", .partition, "X-Consul-Partition", "Partitions"),
  ]

  static func refusal(_ query: QueryParameters, _ head: RequestHead, _ memory: UnsafeRawBufferPointer) -> HTTPError? {
    for kind in kinds {
      if let span = head[kind.header], span.count > 0 {
        return .badRequest("Invalid header: \"\(kind.shown)\" - \(kind.plural) are a Consul Enterprise feature")
      }
      if !query.isEmpty, let value = query[kind.parameter], !value.isEmpty {
        return .badRequest(
          "Invalid query parameter: \"\(kind.parameter)\" - \(kind.plural) are a Consul Enterprise feature")
      }
    }
    return nil
  }
}
