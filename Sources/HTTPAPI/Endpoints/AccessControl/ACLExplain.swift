import AccessControl
import Model
import NIOCore
import Server

/// `/v1/acl/explain`: why a token may or may not do something.
enum ACLExplain {
  static func explain(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let question = try ACL.decode(ExplainQuestion.self, request, what: "Request")
    let permissions = try permissions(question, api, exchange)
    if !question.secretID.isEmpty {
      _ = exchange.rights
      return find(question.secretID.revealed, permissions, exchange)
    }
    if question.accessorID.isEmpty {
      // About the own token everyone may ask.
      _ = exchange.rights
      return find(exchange.token, permissions, exchange)
    }
    try exchange.rights.require(.aclRead)
    var options = QueryOptions()
    options.token = exchange.token
    exchange.read(TokenRead(.accessor(question.accessorID), datacenter: api.backend.datacenter), options) { answer in
      guard let found = answer.value else {
        return exchange.fail(HTTPError(.forbidden, "token does not exist: ACL not found"))
      }
      // Its secret may be hidden from who asks; what it comes to is not.
      let fallback: CompiledRules.Fallback = api.settings.defaultPolicy == "allow" ? .allow : .deny
      show(found.authorizer(fallback: fallback, in: api.backend.datacenter), permissions, exchange)
    }
  }

  private static func permissions(
    _ question: ExplainQuestion, _ api: API, _ exchange: Exchange
  ) throws(HTTPError) -> [Permission] {
    if !question.request.isEmpty { return try RequestRights.of(question.request, api) }
    do throws(PermissionError) {
      return [
        try Permission(resource: question.resource, access: question.access, name: question.segment)
      ]
    } catch {
      throw .badRequest(error.description)
    }
  }

  /// Answers as soon as it is known what the token may do.
  private static func find(_ token: String, _ permissions: [Permission], _ exchange: Exchange) {
    let resolver = exchange.api.resolver
    if resolver.knows(token) { return answer(token, permissions, exchange) }
    resolver.find(token) { exchange.loop.execute { answer(token, permissions, exchange) } }
  }

  private static func answer(_ token: String, _ permissions: [Permission], _ exchange: Exchange) {
    let resolver = exchange.api.resolver
    let found: any Authorizer
    do throws(AccessControlError) {
      if let lenient = resolver as? DryRunResolver {
        found = try lenient.strictAuthorizer(for: token)
      } else {
        found = try resolver.authorizer(for: token)
      }
    } catch {
      return exchange.fail(HTTPError(error, accessor: "", isAnonymous: token.isEmpty))
    }
    guard let authorizer = found as? PolicyAuthorizer else {
      return exchange.fail(.server("the rights of this token do not come from rules"))
    }
    show(authorizer, permissions, exchange)
  }

  private static func show(_ authorizer: PolicyAuthorizer, _ permissions: [Permission], _ exchange: Exchange) {
    let explanations = permissions.map { Explanation($0, authorizer.rules) }
    exchange.json { writer in
      writer.beginObject()
      writer.member("AccessorID")
      writer.string(authorizer.accessorID)
      writer.member("Allow")
      writer.bool(explanations.allSatisfy(\.isAllowed))
      writer.member("DefaultPolicy")
      writer.string(authorizer.rules.fallback.rawValue)
      writer.member("Checks")
      writer.array(explanations) { $1.encodeJSON(&$0) }
      writer.endObject()
    }
  }
}

/// What somebody wants to have explained.
private struct ExplainQuestion: Record {
  /// The token by its accessor, by its secret or, without either, that of the request.
  var accessorID = ""
  var secretID = Secret()
  /// `GET /v1/kv/a`; without it, the right.
  var request = ""
  var resource = ""
  var access = ""
  var segment = ""

  init() {}

  static let schema = Schema<ExplainQuestion>("api.ExplainRequest") {
    $0.field("AccessorID", \.accessorID)
    $0.field("SecretID", \.secretID)
    $0.field("Request", \.request)
    $0.field("Resource", \.resource)
    $0.field("Access", \.access)
    $0.field("Segment", \.segment)
  }
}

extension Explanation {
  fileprivate func encodeJSON(_ writer: inout JSONWriter) {
    let target = permission.target
    writer.beginObject()
    for (name, value) in [
      ("Resource", target.resource.rawValue), ("Access", target.access.rawValue), ("Segment", target.name ?? ""),
    ] {
      writer.member(name)
      writer.string(value)
    }
    writer.member("Allow")
    writer.bool(isAllowed)
    writer.member("DecidedBy")
    switch reason {
    case .fallback: writer.string("default_policy")
    case .rule(let origin):
      writer.string("rule")
      for (name, value) in [
        ("PolicyID", origin.policyID), ("PolicyName", origin.policyName),
        ("Rule", origin.rule.resource.rawValue + (origin.rule.isPrefix ? "_prefix" : "")),
        ("RuleSegment", origin.rule.name), ("RulePolicy", origin.rule.level.rawValue),
      ] {
        writer.member(name)
        writer.string(value)
      }
      writer.member("Line")
      writer.integer(origin.rule.position.line)
      writer.member("Column")
      writer.integer(origin.rule.position.column)
    }
    writer.member("Remedy")
    writer.string(remedy)
    writer.endObject()
  }
}

/// Which rights a request asks for, as far as its line tells it.
enum RequestRights {
  /// - Parameter line: `GET /v1/kv/a?recurse`
  static func of(_ line: String, _ api: API) throws(HTTPError) -> [Permission] {
    let words = line.split(separator: " ", maxSplits: 1)
    let target = words.count == 2 ? String(words[1]) : line
    let name = words.count == 2 ? String(words[0]).uppercased() : "GET"
    let text = "\(name) \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n"
    let bytes = ByteBuffer(string: text)
    let parsed = bytes.withUnsafeReadableBytes { RequestParser.parse($0, scanned: 0) }
    guard case .head(let head, _) = parsed else { throw .badRequest("not a request: \(line.goQuoted)") }
    let found = bytes.withUnsafeReadableBytes { memory -> (Router.Match, String, QueryParameters?) in
      let path = head.path.bytes(in: memory)
      let match = api.router.match(path)
      var suffix = ""
      if case .endpoint(_, let start) = match {
        suffix = PercentEncoding.decode(UnsafeRawBufferPointer(rebasing: path[start...])) ?? ""
      }
      return (match, suffix, head.hasQuery ? QueryParameters(head.query.bytes(in: memory)) : QueryParameters())
    }
    guard case .endpoint(let index, _) = found.0, let query = found.2,
      let route = api.router.endpoints[index].route(head.method)
    else { throw .badRequest("no such endpoint: \(line.goQuoted)") }
    let request = Request(
      head: head, bytes: bytes, query: query, suffix: found.1, body: ByteBuffer(), clientAddress: "")
    switch route.authorisation {
    case .open: return [.open]
    case .requires(let permission), .servers(let permission):
      if let needed = permission(api, request) { return [needed] }
    case .asks: break
    }
    let path = api.router.endpoints[index].path
    if let rights = usual(head.method, path, found.1, node: api.control.nodeName) { return rights }
    throw .badRequest(
      "what \(name) \(path) needs depends on more than its line: ask for a resource and an access instead")
  }

  /// What routes ask for that ask for each thing they show, or for what their body names.
  private static func usual(_ method: HTTPMethod, _ path: String, _ name: String, node: String) -> [Permission]? {
    switch path {
    case "/v1/kv/": [.keyRead(name)]
    case "/v1/session/create": [.sessionWrite(node)]
    case "/v1/session/node/": [.sessionRead(name)]
    case "/v1/event/fire/": [.eventWrite(name)]
    case "/v1/catalog/service/", "/v1/catalog/connect/", "/v1/health/service/", "/v1/health/connect/",
      "/v1/health/checks/":
      [.serviceRead(name), .nodeReadAll]
    case "/v1/catalog/node/", "/v1/catalog/node-services/", "/v1/health/node/", "/v1/internal/ui/node/",
      "/v1/coordinate/node/":
      [.nodeRead(name)]
    case "/v1/catalog/nodes", "/v1/agent/members", "/v1/coordinate/nodes": [.nodeReadAll]
    case "/v1/catalog/services", "/v1/agent/services": [.serviceReadAll]
    case "/v1/agent/service/", "/v1/agent/health/service/name/", "/v1/agent/health/service/id/": [.serviceRead(name)]
    case "/v1/agent/service/deregister/", "/v1/agent/service/maintenance/": [.serviceWrite(name)]
    case "/v1/query/": [.queryRead(name.split(separator: "/").first.map(String.init) ?? name)]
    default: nil
    }
  }
}

/// `/v1/acl/dry-run`: what would have been refused.
enum ACLDryRun {
  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let counts = api.dryRun?.counts ?? (total: 0, dropped: 0)
    let denials = api.dryRun?.denials ?? []
    exchange.json { writer in
      writer.beginObject()
      writer.member("Enabled")
      writer.bool(api.dryRun != nil)
      writer.member("Total")
      writer.integer(counts.total)
      writer.member("NotListed")
      writer.integer(counts.dropped)
      writer.member("Denials")
      writer.array(denials) { $1.encodeJSON(&$0) }
      writer.endObject()
    }
  }
}

extension DryRunLedger.Denial {
  fileprivate func encodeJSON(_ writer: inout JSONWriter) {
    writer.beginObject()
    for (name, value) in [
      ("AccessorID", accessor), ("Permission", access), ("Resource", resource), ("First", first.description),
      ("Last", last.description),
    ] {
      writer.member(name)
      writer.string(value)
    }
    writer.member("Count")
    writer.integer(count)
    writer.endObject()
  }
}
