import Model
import NIOCore
import NIOSSL

/// Where a server listens.
public enum HTTPListenAddress: Sendable, Equatable {
  /// `host` is an IP address.
  case tcp(host: String, port: Int)
  /// Removed before and after use. `mode` is the file's permissions, nil for what the process's mask leaves.
  case unix(path: String, mode: UInt32?)
}

/// A place to listen with the way to secure it.
public struct HTTPListener: Sendable {
  public var address: HTTPListenAddress
  /// Nil serves plain HTTP. Called per connection, so that renewed certificates take effect.
  public var tls: (@Sendable () -> NIOSSLContext?)?
  /// How long a client may take to shake hands (`limits.https_handshake_timeout`).
  public var handshakeTimeout = TimeAmount.seconds(5)

  public init(_ address: HTTPListenAddress, tls: (@Sendable () -> NIOSSLContext?)? = nil) {
    self.address = address
    self.tls = tls
  }
}

/// What the agent's configuration says about the HTTP API.
public struct HTTPSettings: Sendable {
  /// Answers JSON with line breaks unless asked otherwise: development mode.
  public var prettyByDefault = false
  /// Headers that go with every answer (`http_config.response_headers`).
  public var responseHeaders: [(name: String, value: String)] = []
  /// Paths that start with one of these are refused (`http_config.block_endpoints`).
  public var blockedEndpoints: [String] = []
  /// Networks that may write; empty means all (`http_config.allow_write_http_from`).
  public var allowWriteFrom: [CIDR] = []
  /// Whether `?cached` is served from the agent's memory (`http_config.use_cache`).
  public var usesCache = true
  /// Whether the health of services is followed by streams (`use_streaming_backend`). On a server it shows in a header
  /// only.
  public var usesStreaming = true
  /// How long a blocking query waits when it does not say (`default_query_time`); at least 1 second.
  public var defaultQueryTime = GoDuration.minutes(5)
  /// How long a blocking query may wait (`max_query_time`).
  public var maxQueryTime = GoDuration.minutes(10)
  /// Bytes of a value of the key-value store (`limits.kv_max_value_size`).
  public var kvValueLimit = 512 * 1024
  /// Bytes of a transaction (`limits.txn_max_req_len`).
  public var transactionLimit = 512 * 1024
  /// Bytes of a snapshot archive. It lies on disk while it comes in.
  public var snapshotLimit = 1 << 40
  /// Where bodies lie for a moment that are too large for memory.
  public var temporaryDirectory = "/tmp"
  /// Bytes of any other body. Registrations take a few kilobytes; this only bounds memory.
  public var bodyLimit = 8 * 1024 * 1024
  /// Connections that one client address may hold (`limits.http_max_conns_per_client`); 0 means any number.
  public var connectionsPerClient = 200
  /// Bytes of the first lines of a request (`http_config.max_header_bytes`).
  public var headLimit = RequestParser.headLimit
  /// Allows characters in paths that cannot be printed (`disable_http_unprintable_char_filter`).
  public var allowsUnprintablePaths = false
  /// Whether `/ui/` shows a page (`ui_config.enabled`).
  public var uiEnabled = false
  /// Where the user interface lies (`ui_config.content_path`), with slashes at both ends.
  public var uiPath = "/ui/"
  /// What a token without rules may do: `allow` or `deny` (`acl.default_policy`).
  public var defaultPolicy = "allow"
  /// Whether services of the mesh may connect where no intention says otherwise (`default_intention_policy`).
  public var allowsIntentionsByDefault = true
  /// Whether lists of keys need a right of their own (`acl.enable_key_list_policy`).
  public var enableKeyListPolicy = false
  /// What holds when no server can be asked about a token (`acl.down_policy`).
  public var downPolicy = "extend-cache"
  /// Whether access control is on (`acl.enabled`).
  public var aclEnabled = false
  /// Whether nodes have network coordinates (`disable_coordinates`).
  public var coordinatesEnabled = true
  /// The token of requests that carry none (`acl.tokens.default`). Read for each such request.
  public var defaultToken: @Sendable () -> String = { "" }

  public init() {}
}
