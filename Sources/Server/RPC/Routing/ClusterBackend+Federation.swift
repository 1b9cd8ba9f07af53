import Model
import NIOCore

// Where a request is carried out when the access control of this datacenter comes from another one, and with which token.

extension ClusterBackend {
  /// What the primary datacenter is to be asked in the place of a query of this datacenter; nil if it is answered here.
  func inPrimary<Query: ReadQuery>(_ query: Query, _ options: QueryOptions) -> (query: Query, options: QueryOptions)? {
    guard let secondary = server?.secondary, isOwn(options.datacenter),
      let moved = query.inPrimary(secondary.view)
    else { return nil }
    var options = options
    options.datacenter = secondary.primary.name
    return (moved, options)
  }

  /// The datacenter that carries a change out: the one that it is meant for, or the primary in its place.
  func home<Request: WriteRequest>(of request: Request, _ datacenter: String) -> String {
    guard let secondary = server?.secondary, isOwn(datacenter), request.belongsInPrimary(secondary.view) else {
      return datacenter
    }
    return secondary.primary.name
  }

  // MARK: requests that arrived as bytes

  /// - Returns: whether the request goes elsewhere now, or with another token.
  func readdress<Query: ReadQuery>(_ type: Query.Type, _ request: inout Query.Request) -> Bool {
    guard server?.secondary != nil, isOwn(request.datacenter) else {
      return hide(&request.options.token, from: request.datacenter)
    }
    let options = request.options.queryOptions(datacenter: request.datacenter)
    guard let query = try? Query(request: request), let (moved, elsewhere) = inPrimary(query, options) else {
      return false
    }
    let given = request.options
    request = moved.request
    request.options = given
    request.datacenter = elsewhere.datacenter
    _ = hide(&request.options.token, from: request.datacenter)
    return true
  }

  func readdress<Request: WriteRequest>(_ type: Request.Type, _ request: inout Request.Request) -> Bool {
    guard server?.secondary != nil, isOwn(request.datacenter) else { return hideToken(&request) }
    guard let write = try? Request(request: request) else { return false }
    let home = home(of: write, request.datacenter)
    if isOwn(home) { return false }
    request.datacenter = home
    _ = hideToken(&request)
    return true
  }

  func hideToken(_ request: inout some RPCWriteRequest) -> Bool { hide(&request.token, from: request.datacenter) }

  private func hide(_ token: inout String, from datacenter: String) -> Bool {
    if server == nil || isOwn(datacenter) || token.isEmpty { return false }
    let abroad = tokenAbroad(token)
    if abroad == token { return false }
    token = abroad
    return true
  }

  // MARK: tokens

  /// The token for another datacenter: a token of this one alone says nothing there, and is nobody's business.
  func tokenAbroad(_ token: String) -> String {
    let isLocal = server?.store.current.aclTokenRow(secret: Secret(token))?.value.local ?? false
    return isLocal ? "" : token
  }
}
