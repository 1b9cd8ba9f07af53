import AccessControl
import Model
import NIOCore
import Server

/// `/v1/acl/templated-polic…`: the templates that every cluster has.
enum ACLTemplates {
  static func list(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    exchange.json { writer in
      writer.beginObject()
      for template in PolicyTemplate.all.sorted(by: { bytewiseLess($0.name, $1.name) }) {
        writer.member(template.name)
        template.encodeJSON(&writer)
      }
      writer.endObject()
    }
  }

  static func readByName(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let name = request.suffix
    if name.isEmpty { throw .badRequest("Missing templated policy Name") }
    guard let template = PolicyTemplate.named(name) else {
      throw .badRequest("Invalid templated policy Name: \(name)")
    }
    exchange.json { template.encodeJSON(&$0) }
  }

  static func preview(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let name = request.suffix
    if name.isEmpty { throw .badRequest("Missing templated policy Name") }
    let variables = try ACL.decode(
      ACLTemplatedPolicyVariables.self, request, what: "Failed to decode request body")
    guard let template = PolicyTemplate.named(name) else {
      throw .badRequest("templated policy \(name.goQuoted) does not exist")
    }
    if let problem = TemplateRules.nameProblem(template, variables) {
      throw .badRequest("validation error for templated policy: \(name.goQuoted): \(problem)")
    }
    let policy = template.policy(variables, datacenters: [])
    exchange.json { policy.encodeJSON(&$0) }
  }
}

extension PolicyTemplate {
  fileprivate func encodeJSON(_ writer: inout JSONWriter) {
    writer.beginObject()
    for (key, value) in [
      ("TemplateName", name), ("Schema", schema), ("Template", template), ("Description", description),
    ] {
      writer.member(key)
      writer.string(value)
    }
    writer.endObject()
  }
}

/// `/v1/internal/acl/authorize`: what the token of the request may do.
enum ACLAuthorize {
  /// Questions of one request.
  private static let limit = 64

  static func authorize(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    try ACL.requireEnabled(api)
    let options = try request.readOptions(exchange)
    let rights = exchange.rights
    let json = try request.json(failure: "Failed to decode request body: ")
    let questions: [ACLQuestion]
    do throws(DecodingError) {
      questions = try [ACLQuestion](from: json, DecodingContext(.api))
    } catch {
      throw .badRequest("Failed to decode request body: \(error.apiText("[]structs.ACLAuthorizationRequest"))")
    }
    if questions.count > Self.limit {
      throw .badRequest("Refusing to process more than \(Self.limit) authorizations at once")
    }
    if !options.datacenter.isEmpty, options.datacenter != api.backend.datacenter {
      return ask(questions, options, api, exchange)
    }
    var answers: [(ACLQuestion, Bool)] = []
    for question in questions {
      do throws(PermissionError) {
        let permission = try Permission(
          resource: question.resource, access: question.access, name: question.segment)
        answers.append((question, rights.allows(permission)))
      } catch {
        throw .badRequest(error.description)
      }
    }
    exchange.json { writer in
      writer.array(answers) { writer, answer in
        writer.beginObject()
        answer.0.encodeJSONMembers(&writer)
        writer.member("Allow")
        writer.bool(answer.1)
        writer.endObject()
      }
    }
  }
}

extension ACLAuthorize {
  /// Another datacenter may see the same token in another way.
  private static func ask(_ questions: [ACLQuestion], _ options: QueryOptions, _ api: API, _ exchange: Exchange) {
    let requests = questions.map { question in
      var request = ACLAuthorizationRequest()
      (request.resource, request.segment, request.access) = (question.resource, question.segment, question.access)
      return request
    }
    exchange.answer(api.control.authorize(requests, options, on: exchange.loop)) { answers in
      exchange.json { writer in writer.array(answers) { $1.encodeJSON(&$0) } }
    }
  }
}

/// A right that somebody asks about.
struct ACLQuestion: Record {
  var resource = ""
  var segment = ""
  var access = ""

  init() {}

  static let schema = Schema<ACLQuestion>("structs.ACLAuthorizationRequest") {
    $0.field("Resource", \.resource)
    $0.field("Segment", \.segment, .omitEmpty)
    $0.field("Access", \.access)
  }
}
