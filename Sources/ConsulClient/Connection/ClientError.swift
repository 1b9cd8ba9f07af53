/// Why a call to an agent gave no result.
public enum ClientError: Error, Equatable, CustomStringConvertible {
  /// The configuration names something that does not exist or is not possible; nothing was sent.
  case configuration(String)
  /// A key that no request is made for, with the reason.
  case invalidKey(String)
  /// No answer: refused, closed, not trusted, too late. `cause` is the reason in one line.
  case noResponse(method: String, url: String, cause: String)
  /// An answer with a status that the call does not expect; `body` is what the agent says, without white space around.
  case unexpectedStatus(code: Int, body: String)
  /// An answer that does not have the promised form.
  case malformedResponse(String)
  /// The key carries the mark of another kind of lock.
  case lockConflict(String)
  /// The lock or semaphore is held by this object already, or not held when it should be.
  case lockState(String)

  public var description: String {
    switch self {
    case .configuration(let text), .lockConflict(let text), .lockState(let text): text
    case .invalidKey(let key): "Invalid key. Key must not begin with a '/': \(key)"
    case .noResponse(let method, let url, let cause):
      "\(method.prefix(1))\(method.dropFirst().lowercased()) \"\(url)\": \(cause)"
    case .unexpectedStatus(let code, let body): "Unexpected response code: \(code) (\(body))"
    case .malformedResponse(let text): text
    }
  }

  /// Whether the agent answered that it failed (5xx), which may pass.
  public var isServerError: Bool {
    if case .unexpectedStatus(let code, _) = self { return (500..<600).contains(code) }
    return false
  }
}
