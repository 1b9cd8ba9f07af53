/// How a client reaches an agent and who it is.
public struct ClientConfiguration: Sendable, Equatable {
  /// User name and password of HTTP Basic authentication, for an agent behind a proxy that asks for them.
  public struct Credentials: Sendable, Equatable {
    public var user: String
    public var password: String

    public init(user: String, password: String) {
      self.user = user
      self.password = password
    }
  }

  public struct TLS: Sendable, Equatable {
    /// PEM file with the authorities that may have signed the agent's certificate.
    public var authorityFile: String?
    /// Directory of such files.
    public var authorityDirectory: String?
    public var certificateFile: String?
    public var keyFile: String?
    /// The name that the agent's certificate must carry, instead of the host of the address.
    public var serverName: String?
    /// Whether the agent's certificate is checked at all.
    public var verifies = true

    public init() {}
  }

  public var address: AgentAddress
  /// The ACL token's secret; nil or empty for the agent's default token.
  public var token: String?
  /// File that holds the token; it wins over `token`.
  public var tokenFile: String?
  public var credentials: Credentials?
  public var tls = TLS()
  /// Applied to every request that does not name its own.
  public var datacenter: String?
  public var namespace: String?
  public var partition: String?

  public init(address: AgentAddress = .standard) {
    self.address = address
  }
}

extension ClientConfiguration {
  /// What stands in the environment variables `CONSUL_*`, refined by the caller's own values.
  ///
  /// - Parameters:
  ///   - variables: the environment.
  ///   - addressText: an address that wins over `CONSUL_HTTP_ADDR`.
  ///   - warn: receives a line for each variable that has no meaning and is passed over.
  public init(
    environment variables: [String: String], address addressText: String? = nil, warn: (String) -> Void = { _ in }
  ) throws(ClientError) {
    func value(_ name: String) -> String? {
      variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }
    func flag(_ name: String) -> Bool? {
      guard let text = value(name) else { return nil }
      if let flag = Self.boolean(text) { return flag }
      warn("could not parse \(name): \"\(text)\" is neither true nor false")
      return nil
    }
    let text = addressText ?? value("CONSUL_HTTP_ADDR") ?? "127.0.0.1:8500"
    address = try AgentAddress(parsing: text, secure: flag("CONSUL_HTTP_SSL") ?? false)
    token = value("CONSUL_HTTP_TOKEN")
    tokenFile = value("CONSUL_HTTP_TOKEN_FILE")
    credentials = value("CONSUL_HTTP_AUTH").map { text in
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      return Credentials(user: String(parts[0]), password: parts.count > 1 ? String(parts[1]) : "")
    }
    tls.authorityFile = value("CONSUL_CACERT")
    tls.authorityDirectory = value("CONSUL_CAPATH")
    tls.certificateFile = value("CONSUL_CLIENT_CERT")
    tls.keyFile = value("CONSUL_CLIENT_KEY")
    tls.serverName = value("CONSUL_TLS_SERVER_NAME")
    tls.verifies = flag("CONSUL_HTTP_SSL_VERIFY") ?? true
    namespace = value("CONSUL_NAMESPACE")
    partition = value("CONSUL_PARTITION")
  }

  private static func boolean(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "TRUE", "true", "True": true
    case "0", "f", "F", "FALSE", "false", "False": false
    default: nil
    }
  }

  /// The name that the agent's certificate has to carry.
  var expectedServerName: String {
    if let name = tls.serverName { return name }
    switch address.endpoint {
    case .host(let host, _): return host
    case .unixSocket: return "localhost"
    }
  }

  /// The token that requests carry.
  /// - Throws: `ClientError.configuration` if the token's file cannot be read or is empty.
  func resolvedToken() throws(ClientError) -> String? {
    guard let tokenFile else { return token }
    let secret: String
    do {
      secret = try FileReader.readTrimmed(tokenFile)
    } catch {
      throw .configuration("Error loading token file \(tokenFile) : \(error)")
    }
    guard !secret.isEmpty else { throw .configuration("Token file \(tokenFile) holds no token") }
    return secret
  }
}
