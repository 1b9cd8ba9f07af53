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
    case .signingLimit: self.init(.tooManyRequests, error.description)
    case .tooManyCalls: self.init(.tooManyRequests, error.description)
    case .permissionDenied, .tokenNotFound, .accessObjectNotFound: self.init(.forbidden, error.description)
    case .denied(let refusal): self.init(refusal)
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
    case .denied(let permission): self.init(AccessRefusal(permission, accessor: accessor, isAnonymous: isAnonymous))
    }
  }

  init(_ refusal: AccessRefusal) { self.init(.forbidden, refusal.description, denied: refusal.header) }
}
