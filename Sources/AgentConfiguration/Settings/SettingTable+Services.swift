// Checks, limits, and the faces of the agent: DNS, HTTP, user interface.
extension SettingTable {
  static let checks: [Setting] = [
    Setting(
      "enable_script_checks", .bool, default: false,
      "Runs scripts of checks, also of those registered over HTTP. Use enable_local_script_checks instead."),
    Setting(
      "enable_local_script_checks", .bool, default: false, debug: "EnableLocalScriptChecks",
      "Runs scripts of checks that configuration files define."),
    Setting(
      "enable_agent_tls_for_checks", .bool, default: false, debug: "EnableAgentTLSForChecks",
      "HTTP and gRPC checks present the agent's certificate."),
    Setting(
      "check_update_interval", .duration, default: "5m", debug: "CheckUpdateInterval",
      "How often a changed output without a changed state is sent to the servers; 0 sends every change."),
    Setting(
      "check_output_max_size", .int, default: 4096, debug: "CheckOutputMaxSize",
      "Bytes of output that are kept of a check."),
    Setting(
      "discard_check_output", .bool, default: false, traits: [.reloadable], debug: "DiscardCheckOutput",
      "Keeps no output of checks."),
    Setting(
      "enable_central_service_config", .bool, default: true, debug: "EnableCentralServiceConfig",
      "Merges service-defaults and proxy-defaults into registered services."),
  ]

  static let limits: [Setting] = [
    Setting(
      "limits.http_max_conns_per_client", .int, default: 200, traits: [.reloadable], debug: "HTTPMaxConnsPerClient",
      "Open connections of one client address to HTTP and HTTPS."),
    Setting(
      "limits.https_handshake_timeout", .duration, default: "5s", debug: "HTTPSHandshakeTimeout",
      "How long a TLS handshake of the HTTPS listener may take."),
    Setting(
      "limits.rpc_handshake_timeout", .duration, default: "5s", debug: "RPCHandshakeTimeout",
      "How long a server waits for the first bytes of an RPC connection."),
    Setting(
      "limits.rpc_client_timeout", .duration, default: "60s", traits: [.reloadable], debug: "RPCClientTimeout",
      "How long a client waits for an answer of a server."),
    Setting(
      "limits.rpc_max_conns_per_client", .int, default: 100, traits: [.reloadable], debug: "RPCMaxConnsPerClient",
      "Open RPC connections of one address to a server."),
    Setting(
      "limits.rpc_rate", .double, default: -1, traits: [.reloadable],
      "RPC requests per second that a client agent may send; -1: unlimited."),
    Setting(
      "limits.rpc_max_burst", .int, default: 1000, traits: [.reloadable], debug: "RPCMaxBurst",
      "RPC requests that a client agent may send at once."),
    Setting(
      "limits.kv_max_value_size", .int, default: 524288, debug: "KVMaxValueSize",
      "Largest value of the key/value store, in bytes."),
    Setting(
      "limits.txn_max_req_len", .int, default: 524288, debug: "TxnMaxReqLen",
      "Largest body of a transaction, in bytes; the larger of this and kv_max_value_size counts."),
    Setting(
      "limits.request_limits.mode", .string, default: "disabled", traits: [.reloadable],
      "What happens above the request rates: disabled, permissive (logs) or enforcing (refuses)."),
    Setting(
      "limits.request_limits.read_rate", .double, default: -1, traits: [.reloadable],
      "Reads per second of a server; -1: unlimited."),
    Setting(
      "limits.request_limits.write_rate", .double, default: -1, traits: [.reloadable],
      "Writes per second of a server; -1: unlimited."),
    Setting(
      "xds.update_max_per_second", .double, default: 250, traits: [.reloadable], debug: "XDSUpdateRateLimit",
      "Configuration updates to proxies per second, over all proxies."),
  ]

  static let performance: [Setting] = [
    Setting(
      "performance.leave_drain_time", .duration, default: "5s", debug: "LeaveDrainTime",
      "How long a leaving server still answers."),
    Setting(
      "performance.raft_multiplier", .int, default: 5, "Stretches the timing of Raft: 1 for production, up to 10."),
    Setting(
      "performance.rpc_hold_timeout", .duration, default: "7s", debug: "RPCHoldTimeout",
      "How long requests wait for a leader."),
    Setting(
      "performance.grpc_keepalive_interval", .duration, default: "30s", debug: "GRPCKeepaliveInterval",
      "How often servers ask silent gRPC clients whether they live."),
    Setting(
      "performance.grpc_keepalive_timeout", .duration, default: "20s", debug: "GRPCKeepaliveTimeout",
      "How long servers wait for that answer."),
    Setting(
      "performance.enable_xds_load_balancing", .bool, default: true, debug: "EnableXDSLoadBalancing",
      "Spreads proxies' connections over the servers."),
  ]

  static let dns: [Setting] = [
    Setting("domain", .string, default: "consul.", debug: "DNSDomain", "The domain that the DNS server answers for."),
    Setting("alt_domain", .string, default: "", debug: "DNSAltDomain", "A second domain with the same content."),
    Setting(
      "recursors", .strings, default: [], traits: [.reloadable], debug: "DNSRecursors",
      "DNS servers for all other names, tried in order."),
    Setting(
      "dns_config.allow_stale", .bool, default: true, traits: [.reloadable], debug: "DNSAllowStale",
      "Any server may answer, not only the leader."),
    Setting(
      "dns_config.max_stale", .duration, default: "87600h", traits: [.reloadable], debug: "DNSMaxStale",
      "Answers that are older are fetched again from the leader."),
    Setting(
      "dns_config.node_ttl", .duration, default: "0s", traits: [.reloadable], debug: "DNSNodeTTL",
      "TTL of node answers."),
    Setting(
      "dns_config.service_ttl", .durationMap, traits: [.reloadable],
      "TTL of service answers by name; `*` is any service, `web-*` a prefix."),
    Setting(
      "dns_config.enable_truncate", .bool, default: false, traits: [.reloadable], debug: "DNSEnableTruncate",
      "Sets the truncation flag when records were left out of a UDP answer."),
    Setting(
      "dns_config.only_passing", .bool, default: false, traits: [.reloadable], debug: "DNSOnlyPassing",
      "Leaves out instances with warnings."),
    Setting(
      "dns_config.recursor_strategy", .string, default: "sequential", traits: [.reloadable],
      debug: "DNSRecursorStrategy", "Order of the recursors: sequential or random."),
    Setting(
      "dns_config.recursor_timeout", .duration, default: "2s", traits: [.reloadable], debug: "DNSRecursorTimeout",
      "How long one recursor may take."),
    Setting(
      "dns_config.disable_compression", .bool, default: false, traits: [.reloadable], debug: "DNSDisableCompression",
      "Does not compress names in answers."),
    Setting(
      "dns_config.udp_answer_limit", .int, default: 3, traits: [.reloadable], debug: "DNSUDPAnswerLimit",
      "Records in a UDP answer to a client without EDNS."),
    Setting(
      "dns_config.a_record_limit", .int, default: 0, traits: [.reloadable], debug: "DNSARecordLimit",
      "Addresses in an answer; 0: all."),
    Setting(
      "dns_config.enable_additional_node_meta_txt", .bool, default: true, traits: [.reloadable],
      debug: "DNSNodeMetaTXT", "Adds node metadata as TXT records."),
    Setting(
      "dns_config.soa.refresh", .int, default: 3600, traits: [.reloadable], debug: "DNSSOA.Refresh",
      "Refresh time of the SOA record, in seconds."),
    Setting(
      "dns_config.soa.retry", .int, default: 600, traits: [.reloadable], debug: "DNSSOA.Retry",
      "Retry time of the SOA record, in seconds."),
    Setting(
      "dns_config.soa.expire", .int, default: 86400, traits: [.reloadable], debug: "DNSSOA.Expire",
      "Expiry time of the SOA record, in seconds."),
    Setting(
      "dns_config.soa.min_ttl", .int, default: 0, traits: [.reloadable], debug: "DNSSOA.Minttl",
      "Time that negative answers may be kept, in seconds."),
    Setting(
      "dns_config.use_cache", .bool, default: false, traits: [.reloadable], debug: "DNSUseCache",
      "Answers from the agent's cache."),
    Setting(
      "dns_config.cache_max_age", .duration, default: "0s", traits: [.reloadable], debug: "DNSCacheMaxAge",
      "Cached answers that are older are fetched again; 0: never."),
  ]

  static let http: [Setting] = [
    Setting(
      "http_config.block_endpoints", .strings, default: [], traits: [.reloadable], debug: "HTTPBlockEndpoints",
      "Prefixes of API paths that are refused."),
    Setting(
      "http_config.response_headers", .stringMap, traits: [.reloadable], debug: "HTTPResponseHeaders",
      "Headers that every answer carries."),
    Setting(
      "http_config.allow_write_http_from", .strings, default: [], traits: [.reloadable], debug: "AllowWriteHTTPFrom",
      "Networks that may call the agent's writing endpoints; empty: all."),
    Setting("http_config.use_cache", .bool, default: true, debug: "HTTPUseCache", "Honours `?cached` of requests."),
    Setting(
      "http_config.max_header_bytes", .int, default: 0, debug: "HTTPMaxHeaderBytes",
      "Largest header of a request; 0 is 1 MiB."),
    Setting(
      "disable_http_unprintable_char_filter", .bool, default: false, debug: "DisableHTTPUnprintableCharFilter",
      "Accepts unprintable characters in paths, to remove old keys."),
  ]

  static let userInterface: [Setting] = [
    Setting("ui_config.enabled", .bool, default: false, debug: "UIConfig.Enabled", "Serves the web interface."),
    Setting(
      "ui_config.dir", .string, default: "", debug: "UIConfig.Dir",
      "Serves the web interface from this directory instead of the built-in one."),
    Setting(
      "ui_config.content_path", .string, default: "/ui/", debug: "UIConfig.ContentPath", "Path of the web interface."),
    Setting(
      "ui_config.metrics_provider", .string, default: "", debug: "UIConfig.MetricsProvider",
      "Name of the metrics provider, such as prometheus."),
    Setting(
      "ui_config.metrics_provider_files", .strings, default: [], debug: "UIConfig.MetricsProviderFiles",
      "Scripts with metrics providers, by absolute path."),
    Setting(
      "ui_config.metrics_provider_options_json", .string, default: "", debug: "UIConfig.MetricsProviderOptionsJSON",
      "Options of the metrics provider: a JSON object as text."),
    Setting(
      "ui_config.metrics_proxy.base_url", .string, default: "", debug: "UIConfig.MetricsProxy.BaseURL",
      "Metrics server that the agent forwards to."),
    Setting(
      "ui_config.metrics_proxy.path_allowlist", .strings, debug: "UIConfig.MetricsProxy.PathAllowlist",
      "Paths of the metrics server that may be asked for. Without it, the two query endpoints of Prometheus."),
    Setting("ui_config.metrics_proxy.add_headers", .blocks(namedValue), "Headers for requests to the metrics server."),
    Setting(
      "ui_config.dashboard_url_templates", .stringMap, debug: "UIConfig.DashboardURLTemplates",
      "Links to dashboards by kind; `service` is the one for services."),
  ]

  private static let namedValue: [Setting] = [
    Setting("name", .string, "Name of the header."),
    Setting("value", .string, traits: [.secret], "Value of the header."),
  ]

  static let definitions: [Setting] = [
    Setting("service", .definitions(.service), traits: [.reloadable], "A service of this node."),
    Setting("services", .definitions(.service), traits: [.reloadable], "Services of this node."),
    Setting("check", .definitions(.check), traits: [.reloadable], "A check of this node."),
    Setting("checks", .definitions(.check), traits: [.reloadable], "Checks of this node."),
    Setting("watches", .objects, traits: [.reloadable], "Views that are watched, and what runs when they change."),
    Setting(
      "config_entries.bootstrap", .objects, traits: [.reloadable],
      "Configuration entries that the leader writes when they are missing."),
  ]
}
