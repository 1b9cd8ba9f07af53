import AccessControl
import LocalAgent
import Model
import Server

/// An answer that is not what was asked for: a status and a text that says why.
struct HTTPError: Error, Equatable {
  var status: HTTPStatus
  var text: String
  /// The right that was missing, for the header that explains a refusal.
  var denied: String?
  /// Whether the reference finds this error while it reads, not while it parses: its answer then tells where it read.
  var isFromRead = false

  init(_ status: HTTPStatus, _ text: String, denied: String? = nil) {
    self.status = status
    self.text = text
    self.denied = denied
  }

  static func badRequest(_ text: String) -> HTTPError { HTTPError(.badRequest, text) }
  static func notFound(_ text: String) -> HTTPError { HTTPError(.notFound, text) }
  static func server(_ text: String) -> HTTPError { HTTPError(.internalServerError, text) }

  /// The one place that knows which status and text an error of the servers becomes.
  init(_ error: ServerError) {
    switch error {
    case .rateLimited(let elsewhere):
      self.init(elsewhere ? .tooManyRequests : .serviceUnavailable, error.description)
    case .permissionDenied, .tokenNotFound: self.init(.forbidden, error.description)
    default: self.init(.internalServerError, error.description)
    }
  }

  /// The same for errors of the agent's own services and checks.
  init(_ error: LocalAgentError) {
    switch error.category {
    case .invalid: self.init(.badRequest, error.description)
    case .notFound: self.init(.notFound, error.description)
    case .refused: self.init(.internalServerError, error.description)
    }
  }

  /// Whatever went wrong in the agent.
  init(any error: any Error) {
    switch error {
    case let error as HTTPError: self = error
    case let error as ServerError: self.init(error)
    case let error as LocalAgentError: self.init(error)
    default: self.init(.internalServerError, "\(error)")
    }
  }

  /// What a token that lacks a right is told.
  init(_ error: AccessControlError, accessor: String, isAnonymous: Bool) {
    switch error {
    case .notFound: self.init(.forbidden, "ACL not found")
    case .denied(let permission):
      let right = permission.words
      let lack = "lacks permission '\(right.access)'" + (right.resource.map { " on \"\($0)\"" } ?? "")
      let text =
        if isAnonymous {
          "anonymous token \(lack). The anonymous token is used implicitly when a request does not specify a token."
        } else if accessor.isEmpty {
          "token \(lack)"
        } else {
          "token with AccessorID '\(accessor)' \(lack)"
        }
      let who = isAnonymous ? "anonymous" : accessor
      let missing = right.access + (right.resource.map { " \"\($0)\"" } ?? "")
      self.init(.forbidden, "Permission denied: " + text, denied: who.isEmpty ? missing : "\(who) \(missing)")
    }
  }
}

extension Permission {
  /// The right in the words of the rule language, and what it is about; nil where it is about no one thing.
  var words: (access: String, resource: String?) {
    switch self {
    case .keyRead(let key): ("key:read", key)
    case .keyList(let key): ("key:list", key)
    case .keyWrite(let key), .keyWritePrefix(let key): ("key:write", key)
    case .nodeRead(let node): ("node:read", node)
    case .nodeWrite(let node): ("node:write", node)
    case .serviceRead(let service): ("service:read", service)
    case .serviceWrite(let service): ("service:write", service)
    case .sessionRead(let node): ("session:read", node)
    case .sessionWrite(let node): ("session:write", node)
    case .agentRead(let node): ("agent:read", node)
    case .agentWrite(let node): ("agent:write", node)
    case .eventRead(let event): ("event:read", event)
    case .eventWrite(let event): ("event:write", event)
    case .queryRead(let query): ("query:read", query)
    case .queryWrite(let query): ("query:write", query)
    case .operatorRead: ("operator:read", nil)
    case .operatorWrite: ("operator:write", nil)
    case .aclRead: ("acl:read", nil)
    case .aclWrite: ("acl:write", nil)
    case .keyringRead: ("keyring:read", nil)
    case .keyringWrite: ("keyring:write", nil)
    case .open: ("", nil)
    }
  }
}
