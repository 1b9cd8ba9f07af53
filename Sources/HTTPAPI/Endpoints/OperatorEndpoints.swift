import AccessControl
import Model
import NIOCore
import Server
import State

/// `/v1/operator/`: the state of the servers, for those who run them.
extension Endpoints {
  private static let read = Route.Authorisation.requires { _, _ in .operatorRead }
  private static let serversRead = Route.Authorisation.servers { _, _ in .operatorRead }
  private static let serversWrite = Route.Authorisation.servers { _, _ in .operatorWrite }
  private static let keyringRead = Route.Authorisation.requires { _, _ in .keyringRead }
  private static let keyringWrite = Route.Authorisation.requires { _, _ in .keyringWrite }
  private static let write = Route.Authorisation.requires { _, _ in .operatorWrite }

  static let operations: [Endpoint] = [
    Endpoint("/v1/operator/raft/configuration", [], Route(.get, read, Operations.raftConfiguration)),
    Endpoint("/v1/operator/raft/peer", [], Route(.delete, write, Operations.removePeer)),
    Endpoint("/v1/operator/raft/transfer-leader", [], Route(.post, write, Operations.transferLeader)),
    Endpoint(
      "/v1/operator/autopilot/configuration", [], Route(.get, serversRead, AutopilotEndpoints.configuration),
      Route(.put, serversWrite, AutopilotEndpoints.configure)),
    Endpoint("/v1/operator/autopilot/health", [], Route(.get, read, AutopilotEndpoints.health)),
    Endpoint("/v1/operator/autopilot/state", [], Route(.get, read, AutopilotEndpoints.state)),
    Endpoint(
      "/v1/operator/keyring", [], Route(.get, keyringRead, KeyringEndpoints.list),
      Route(.post, keyringWrite, KeyringEndpoints.install), Route(.put, keyringWrite, KeyringEndpoints.use),
      Route(.delete, keyringWrite, KeyringEndpoints.remove)),
    Endpoint("/v1/operator/usage", [.consistency, .metaOnFailure], Route(.get, serversRead, Operations.usage)),
  ]
}

enum Operations {
  static func raftConfiguration(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var options = try request.readOptions(exchange)
    options.minIndex = 0
    exchange.answer(api.control.raftServers(options, on: exchange.loop)) { servers in
      exchange.json { writer in
        writer.beginObject()
        writer.member("Servers")
        writer.array(servers) { $1.encodeJSON(&$0) }
        writer.member("Index")
        writer.integer(0)
        writer.endObject()
      }
    }
  }

  static func removePeer(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let (id, address) = (request.query["id"] ?? "", request.query["address"] ?? "")
    if id.isEmpty, address.isEmpty {
      throw .badRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove")
    }
    if !id.isEmpty, !address.isEmpty { throw .badRequest("Must specify only one of ?id or ?address") }
    var removal = RaftRemovePeerRequest()
    removal.datacenter = request.datacenter
    removal.id = id
    removal.address = address
    removal.token = exchange.token
    exchange.answer(api.control.removePeer(removal, on: exchange.loop))
  }

  static func transferLeader(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let id = request.query["id"] ?? ""
    api.control.transferLeadership(to: id, token: exchange.token, on: exchange.loop).whenComplete { result in
      switch result {
      case .failure(let error): exchange.fail(HTTPError(any: error))
      case .success:
        exchange.json { writer in
          writer.beginObject()
          writer.member("Success")
          writer.bool(true)
          writer.endObject()
        }
      }
    }
  }

  /// Counts of services and instances, of this datacenter whatever the request says, or of all.
  static func usage(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    var options = try request.readOptions(exchange)
    options.datacenter = ""
    guard request.query.has("global") else {
      return count([api.backend.datacenter][...], options, exchange, counted: [])
    }
    exchange.answer(api.control.datacenters(on: exchange.loop)) { [options] names in
      count(names[...], options, exchange, counted: [])
    }
  }

  private typealias Counted = (datacenter: String, answer: Answer<UsageQuery.Reply>)

  /// Asks one datacenter after the other.
  private static func count(
    _ names: ArraySlice<String>, _ options: QueryOptions, _ exchange: Exchange, counted: [Counted]
  ) {
    guard let name = names.first else { return show(counted, options, exchange) }
    var there = options
    there.datacenter = name
    exchange.read(UsageQuery(datacenter: name), there) { answer in
      count(names.dropFirst(), options, exchange, counted: counted + [(name, answer)])
    }
  }

  private static func show(_ counted: [Counted], _ options: QueryOptions, _ exchange: Exchange) {
    guard let first = counted.first else { return exchange.failRead(ServerError.noServers) }
    exchange.json(exchange.head(first.answer, options)) { writer in
      writer.beginObject()
      writer.member("Usage")
      writer.beginObject()
      for (datacenter, answer) in counted.sorted(by: { bytewiseLess($0.datacenter, $1.datacenter) }) {
        writer.member(datacenter)
        answer.value.encodeJSON(&writer)
      }
      writer.endObject()
      first.answer.encodeMeta(&writer, options)
      writer.endObject()
    }
  }
}

extension UsageQuery.Reply {
  fileprivate func encodeJSON(_ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("Services")
    writer.integer(counts.services)
    writer.member("ServiceInstances")
    writer.integer(counts.serviceInstances)
    writer.member("ConnectServiceInstances")
    writer.beginObject()
    for kind in UsageCounts.meshKinds.sorted(by: bytewiseLess) {
      writer.member(kind)
      writer.integer(counts.instancesByKind[kind] ?? 0)
    }
    writer.endObject()
    writer.member("BillableServiceInstances")
    writer.integer(counts.billableInstances(servers: servers))
    writer.member("Nodes")
    writer.integer(counts.nodes)
    writer.endObject()
  }
}

extension QueryOptions.Consistency {
  fileprivate var name: String {
    switch self {
    case .leaseBased: "leader"
    case .consistent: "consistent"
    case .stale: "stale"
    }
  }
}

extension Answer {
  /// The members that answers of some operator endpoints repeat from the headers.
  fileprivate func encodeMeta(_ writer: inout JSONWriter, _ options: QueryOptions) {
    writer.member("Index")
    writer.integer(index)
    writer.member("LastContact")
    writer.integer(lastContactMilliseconds)
    writer.member("KnownLeader")
    writer.bool(knownLeader)
    writer.member("ConsistencyLevel")
    writer.string(options.consistency.name)
    writer.member("NotModified")
    writer.bool(false)
    writer.member("Backend")
    writer.integer(0)
    writer.member("ResultsFilteredByACLs")
    writer.bool(false)
  }
}
