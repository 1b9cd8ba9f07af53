/// What lies outside the API: the way to the user interface, a page that says what runs here, and paths that lead nowhere.
struct StartPage {
  private let api: API

  init(_ api: API) { self.api = api }

  func answer(_ head: RequestHead, path: String, _ memory: UnsafeRawBufferPointer) -> FixedAnswer {
    let settings = api.settings
    if path == "/" {
      if settings.uiEnabled { return Redirect.answer(head.method, .movedPermanently, to: settings.uiPath) }
      return plain(
        .ok,
        "Consul Agent: UI disabled. To enable, set ui_config.enabled=true in the agent configuration and restart.")
    }
    if settings.uiEnabled {
      if path.hasPrefix(settings.uiPath) { return page() }
      if path + "/" == settings.uiPath {
        let query = head.hasQuery ? "?" + head.query.text(in: memory) : ""
        return Redirect.answer(head.method, .temporaryRedirect, to: settings.uiPath + query)
      }
      if path == "/robots.txt" { return plain(.ok, "User-agent: *\nDisallow: /\n") }
    }
    return notFound(path)
  }

  private func notFound(_ path: String) -> FixedAnswer {
    var answer = plain(
      .notFound,
      path.contains("/v1/")
        ? "Invalid URL path: not a recognized HTTP API endpoint\n"
        : "Invalid URL path: if attempting to use the HTTP API, ensure the path starts with '/v1/'\n")
    answer.head.headers = [("X-Content-Type-Options", "nosniff")]
    return answer
  }

  private func plain(_ status: HTTPStatus, _ text: String) -> FixedAnswer {
    var head = ResponseHead(status, .text)
    head.isFromAPI = false
    return FixedAnswer(head: head, body: text)
  }

  /// The links show the API's answers as they are.
  private func page() -> FixedAnswer {
    var head = ResponseHead(.ok, .html)
    head.isFromAPI = false
    head.headers = [
      ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
      ("X-Content-Type-Options", "nosniff"),
    ]
    let links = [
      ("/v1/catalog/services", "Services"), ("/v1/catalog/nodes", "Nodes"),
      ("/v1/health/state/critical", "Critical checks"),
      ("/v1/kv/?keys", "Keys"), ("/v1/session/list", "Sessions"), ("/v1/agent/members", "Members of the cluster"),
      ("/v1/agent/services", "Services of this agent"), ("/v1/agent/checks", "Checks of this agent"),
      ("/v1/status/leader", "Leader"), ("/v1/agent/self", "This agent"),
    ]
    let items = links.map { "<li><a href=\"\($0.0)\">\($0.1)</a> <code>\($0.0)</code></li>" }.joined(separator: "\n")
    let node = Redirect.escaped(api.control.nodeName)
    let datacenter = Redirect.escaped(api.backend.datacenter)
    return FixedAnswer(
      head: head,
      body: """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Proconsul: \(node)</title>
        <style>
        body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem }
        code { color: #555 }
        </style>
        </head>
        <body>
        <h1>\(node)</h1>
        <p>This is a Proconsul \(api.control.isServer ? "server" : "client") agent, version
        \(Redirect.escaped(api.control.version.human)), of datacenter <strong>\(datacenter)</strong>.</p>
        <ul>
        \(items)
        </ul>
        </body>
        </html>

        """)
  }
}
