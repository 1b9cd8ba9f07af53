import AccessControl

/// Why a call of another server gave no result.
public enum RPCError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No connection could be had; the request was never sent.
  case connecting(String)
  /// The connection broke while the request was under way: nobody knows whether it was carried out.
  case broken(String)
  /// No answer in time; the same is true.
  case timeout
  /// What the other server says went wrong.
  case remote(String)
  /// The answer cannot be understood.
  case malformed(String)
  /// More calls than `limits.rpc_rate` allows; nothing was sent.
  case rateLimited
  case shutDown

  public var description: String {
    switch self {
    case .connecting(let reason): "rpc error getting client: failed to get conn: \(reason)"
    case .broken(let reason), .remote(let reason), .malformed(let reason): "rpc error making call: \(reason)"
    case .timeout: "rpc error making call: i/o deadline reached"
    case .rateLimited: "RPC rate limit exceeded"
    case .shutDown: "rpc error getting client: failed to get conn: rpc: is shut down"
    }
  }
}

extension ServerError {
  /// The same in the terms of the servers. Errors travel as text, and every hop adds words in front.
  init(_ error: RPCError) {
    if error == .rateLimited {
      self = .tooManyCalls
      return
    }
    guard case .remote(let text) = error else {
      self = .rejected(error.description)
      return
    }
    if text.contains("RPC rate limit exceeded") {
      self = .tooManyCalls
    } else if text.contains("No cluster leader") {
      self = .noLeader
    } else if let place = text.firstRange(of: "ACL not found: ") {
      self = .accessObjectNotFound(String(text[place.upperBound...]))
    } else if text.contains("ACL not found") {
      self = .tokenNotFound
    } else if let refusal = AccessRefusal(described: text) {
      self = .denied(refusal)
    } else if let place = text.firstRange(of: "Permission denied") {
      self = .permissionDenied(String(text[place.upperBound...].drop { $0 == ":" || $0 == " " }))
    } else if text.contains("try again later or against a different server") {
      self = .rateLimited(elsewhere: true)
    } else if text.contains("Rate limit reached, try again later") {
      self = .signingLimit
    } else if text.contains(ServerError.meshDisabled.description) {
      self = .meshDisabled
    } else if text.contains("rate limit exceeded") {
      self = .rateLimited(elsewhere: false)
    } else {
      self = .rejected(error.description)
    }
  }
}
