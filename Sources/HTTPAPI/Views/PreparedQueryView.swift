import Model
import Server
import State

/// Where the answer to a prepared query comes from, which its body tells once more.
struct PreparedQueryMeta {
  /// What the headers tell. Results have no index: they cannot be waited for.
  let head: QueryMeta
  private let consistency: String
  private let isFiltered: Bool

  init<Reply>(_ answer: Answer<Reply>, _ options: QueryOptions, _ exchange: Exchange) {
    var head = exchange.meta(answer, options)
    head.index = 1
    self.head = head
    isFiltered = answer.isFiltered
    consistency =
      switch options.consistency {
      case .leaseBased: "leader"
      case .consistent: "consistent"
      case .stale: "stale"
      }
  }

  func encodeMembers(_ writer: inout JSONWriter) {
    writer.member("Index")
    writer.integer(head.index)
    writer.member("LastContact")
    // Nanoseconds.
    writer.integer(head.lastContact &* 1_000_000)
    writer.member("KnownLeader")
    writer.bool(head.knownLeader)
    writer.member("ConsistencyLevel")
    writer.string(consistency)
    writer.member("NotModified")
    writer.bool(false)
    writer.member("Backend")
    writer.integer(0)
    writer.member("ResultsFilteredByACLs")
    writer.bool(isFiltered)
  }
}

extension PreparedQueryResult {
  func encodeJSON(_ writer: inout JSONWriter, _ meta: PreparedQueryMeta) {
    writer.beginObject()
    writer.member("Service")
    writer.string(query.service.service)
    writer.member("Nodes")
    writer.array(instances) { $1.encodeRaw(&$0) }
    writer.member("DNS")
    query.dns.encodeJSON(&writer)
    writer.member("Datacenter")
    writer.string(datacenter)
    writer.member("PeerName")
    writer.string(peer)
    writer.member("Failovers")
    writer.integer(failovers)
    meta.encodeMembers(&writer)
    writer.endObject()
  }
}

extension ServiceInstance {
  /// With `null` for lists that are empty.
  fileprivate func encodeRaw(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("Node")
    node.encodeJSON(&writer)
    writer.member("Service")
    service.value.encodeJSON(&writer, .nullLists)
    writer.member("Checks")
    if checks.isEmpty { writer.null() } else { writer.array(checks) { $1.value.encodeJSON(&$0, .nullLists) } }
    writer.endObject()
  }
}
