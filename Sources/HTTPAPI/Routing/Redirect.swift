/// Answers that send the client elsewhere.
enum Redirect {
  /// As Go's server words it: a link for people who read it, for GET only.
  static func answer(_ method: HTTPMethod, _ status: HTTPStatus, to location: String) -> FixedAnswer {
    var head = ResponseHead(status, method == .get || method == .head ? .html : .none)
    head.isFromAPI = false
    head.headers = [("Location", location)]
    guard method == .get else { return FixedAnswer(head: head, body: "") }
    return FixedAnswer(head: head, body: "<a href=\"\(escaped(location))\">\(status.reason)</a>.\n\n")
  }

  /// Text inside HTML.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&#34;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
