import Model
import Testing

@testable import AgentConfiguration

@Suite struct ValidationTests {
  @Test(arguments: [
    (
      "datacenter = \"Upper Case!\"",
      "datacenter can only contain lowercase alphanumeric, - or _ characters. received: \"upper case!\""
    ),
    (
      "bootstrap = true bootstrap_expect = 3 server = true",
      "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive"
    ),
    ("bootstrap_expect = 3", "'bootstrap_expect > 0' requires 'server = true'"),
    ("bootstrap_expect = -1 server = true", "bootstrap_expect cannot be -1. Must be greater than or equal to zero"),
    ("bind_addr = \"not-an-ip\"", "bind_addr cannot be empty"),
    ("bind_addr = \"{{ GetNothing }}\"", "bind_addr cannot be empty"),
    ("bind_addr = \"{{ GetInterfaceIP \\\"lo\\\" }}\"", "bind_addr cannot be empty"),
    (
      "bind_addr = \"127.0.0.1 127.0.0.2\"",
      "bind_addr cannot contain multiple addresses. Use 'addresses.{dns,http,https}' instead."
    ),
    ("bind_addr = \"unix:///tmp/x.sock\"", "bind_addr cannot be a unix socket"),
    ("addresses { dns = \"unix:///tmp/x.sock\" }", "DNS address cannot be a unix socket"),
    ("advertise_addr = \"0.0.0.0\"", "Advertise address cannot be 0.0.0.0, :: or [::]"),
    ("advertise_addr = \"[::]\"", "Advertise address cannot be 0.0.0.0, :: or [::]"),
    (
      "advertise_addr_wan = \"198.51.100.1 198.51.100.2\"",
      "1 error occurred:\n\t* advertise_addr_wan: multiple addresses found: 198.51.100.1 198.51.100.2\n\n"
    ),
    ("client_addr = \"127.0.0.1 bad\"", "1 error occurred:\n\t* client_addr: invalid ip address: bad\n\n"),
    (
      "dns_config { node_ttl = \"soon\" }",
      "1 error occurred:\n\t* dns_config.node_ttl: invalid duration: \"soon\": time: invalid duration \"soon\"\n\n"
    ),
    ("ports { http = 99999 }", "1 error occurred:\n\t* ports.http: invalid port: 99999\n\n"),
    ("ports { http = 8500 dns = 8500 }", "HTTP address 127.0.0.1:8500 already configured for DNS"),
    (
      "ports { serf_lan = 8301 server = 8301 }",
      "Serf Advertise LAN address 127.0.0.1:8301 already configured for RPC Advertise"
    ),
    (
      "node_meta { \"a b\" = \"c\" }",
      "node_meta invalid: Couldn't load metadata pair ('a b', 'c'): Key contains invalid characters"
    ),
    (
      "node_meta { consul-x = \"c\" }",
      "node_meta invalid: Couldn't load metadata pair ('consul-x', 'c'): Key prefix 'consul-' is reserved for internal use"
    ),
    ("node_meta { \"\" = \"v\" }", "node_meta invalid: Couldn't load metadata pair ('', 'v'): Key cannot be blank"),
    ("encrypt = \"short\"", "encrypt has invalid key: illegal base64 data at input byte 4"),
    ("encrypt = \"notbase64\"", "encrypt has invalid key: illegal base64 data at input byte 8"),
    ("encrypt = \"c2hvcnQ=\"", "encrypt has invalid key: key size must be 16, 24 or 32 bytes"),
    (
      "dns_config { a_record_limit = -1 }",
      "dns_config.a_record_limit cannot be -1. Must be greater than or equal to zero"
    ),
    ("performance { raft_multiplier = 20 }", "performance.raft_multiplier cannot be 20. Must be between 1 and 10"),
    (
      "autopilot { max_trailing_logs = -1 }",
      "autopilot.max_trailing_logs cannot be -1. Must be greater than or equal to zero"
    ),
    (
      "check_output_max_size = 0",
      "check_output_max_size must be positive, to discard check output use the discard_check_output flag"
    ),
    ("primary_gateways = [\"a\"]", "'primary_gateways' requires 'server = true'"),
    (
      "server = true primary_gateways = [\"a\"]",
      "'primary_gateways' should only be configured in a secondary datacenter"
    ),
    ("segment = \"x\"", "Network segments are not supported in this version of Consul"),
    ("segments { name = \"a\" port = 1 }", "Network segments are not supported in this version of Consul"),
    ("raft_protocol = 2", "raft_protocol version 2 is not supported by this version of Consul"),
    (
      "ui = true ui_dir = \"/tmp\"",
      "Both the ui_config.enabled and ui_config.dir (or -ui and -ui-dir) were specified, please provide only one.\nIf trying to use your own web UI resources, use ui_config.dir or the -ui-dir flag.\nThe web UI is included in the binary so use ui_config.enabled or the -ui flag to enable it"
    ),
    ("ui_config { content_path = \"/v1/\" }", "ui-content-path cannot have 'v[0-9]'. received: \"/v1/\""),
    (
      "tls { defaults { tls_min_version = \"tls12\" } }",
      "1 error occurred:\n\t* tls.defaults.tls_min_version: invalid TLS version: no matching TLS version found for tls12, please specify one of [TLS_AUTO, TLSv1_0, TLSv1_1, TLSv1_2, TLSv1_3]\n\n"
    ),
    (
      "tls { defaults { tls_cipher_suites = \"BOGUS\" } }",
      "1 error occurred:\n\t* tls.defaults.tls_cipher_suites: invalid TLS cipher suites: no matching Consul Agent TLS cipher suite found for BOGUS\n\n"
    ),
    (
      "tls { defaults { tls_min_version = \"TLSv1_3\" tls_cipher_suites = \"TLS_RSA_WITH_AES_128_CBC_SHA\" } }",
      "1 error occurred:\n\t* tls.defaults.tls_cipher_suites: TLS 1.3 cipher suites are not configurable\n\n"
    ),
    (
      "tls { https { verify_server_hostname = true } }",
      "verify_server_hostname is only valid in the tls.defaults and tls.internal_rpc stanzas"
    ),
    (
      "ports { grpc = 8502 } tls { defaults { ca_file = \"/x\" } }",
      "the `ports.grpc` listener no longer supports TLS. Use `ports.grpc_tls` instead. This message is appearing because GRPC is configured to use TLS, but `ports.grpc_tls` is not defined"
    ),
    (
      "connect { ca_config { leaf_cert_ttl = \"5m\" bogus = 1 } }", "leaf cert TTL must be greater or equal than 1h0m0s"
    ),
    (
      "config_entries { bootstrap { kind = \"proxy-defaults\" name = \"other\" } }",
      "config_entries.bootstrap[0]: invalid name (\"other\"), only \"global\" is supported"
    ),
    (
      "config_entries { bootstrap { kind = \"nonsense\" name = \"x\" } }",
      "config_entries.bootstrap[0]: invalid config entry kind: nonsense"
    ),
    (
      "service { name = \"bad\" port = 1 check { interval = \"10s\" } }",
      "service \"bad\": check \"\": TTL must be > 0 for TTL checks"
    ),
    (
      "service { name = \"bad\" check { http = \"http://x\" } }",
      "service \"bad\": check \"\": Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP or OSService checks"
    ),
    ("service { port = 1 }", "service \"\": name is missing"),
    (
      "check { name = \"c\" http = \"http://x\" interval = \"often\" }",
      "1 error occurred:\n\t* check[c].interval: time: invalid duration \"often\"\n\n"
    ),
    ("watches = [{ type = \"keys\" handler = \"x\" }]", "watches[0]: Unsupported watch type: keys"),
    ("server_rejoin_age_max = \"1h\"", "server_rejoin_age_max can't be set to a duration less than 6 hours"),
    (
      "serf_lan_allowed_cidrs = [\"10.0.0.0\"]",
      "1 error occurred:\n\t* serf_lan_allowed_cidrs: invalid cidr: 10.0.0.0\n\n"
    ),
  ])
  func contradictionsAreRefusedWithTheirReason(text: String, message: String) {
    #expect(refusal(text) == message)
  }

  @Test(arguments: [
    "node_id = \"not-a-uuid\"", "acl { enabled = true default_policy = \"maybe\" }", "log_level = \"chatty\"",
    "recursors = [\"not an address\"]", "dns_config { udp_answer_limit = 0 }", "reconnect_timeout = \"1h\"",
    "primary_datacenter = \"Up\"", "addresses { http = \"unix:///tmp/x.sock 127.0.0.1\" dns = \"127.0.0.1\" }",
    "tls { defaults { verify_incoming = true } }", "raft_snapshot_threshold = 100",
    "limits { request_limits { mode = \"permissive\" } }",
    "client_addr = \"{{ GetAllInterfaces | include \\\"flags\\\" \\\"loopback\\\" | join \\\"address\\\" \\\" \\\" }}\"",
  ])
  func whatOnlyTheStartRefusesIsValid(text: String) {
    #expect(refusal(text) == nil)
  }

  @Test(
    arguments: [
      (
        "server = true bootstrap_expect = 1",
        [
          "BootstrapExpect is set to 1; this is the same as Bootstrap mode.",
          "bootstrap = true: do not enable unless necessary",
        ]
      ),
      ("server = true bootstrap_expect = 3", ["bootstrap_expect > 0: expecting 3 servers"]),
      (
        "server = true bootstrap_expect = 2",
        [
          "bootstrap_expect = 2: A cluster with 2 servers will provide no failure tolerance. See https://developer.hashicorp.com/docs/internals/consensus.html#deployment-table",
          "bootstrap_expect > 0: expecting 2 servers",
        ]
      ),
      (
        "node_name = \"bad name\"",
        [
          "Node name \"bad name\" will not be discoverable via DNS due to invalid characters. Valid characters include all alpha-numerics and dashes."
        ]
      ),
      (
        "enable_script_checks = true",
        [
          "using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS, use enable-local-script-checks instead, see https://www.hashicorp.com/blog/protecting-consul-from-rce-risk-in-specific-configurations/"
        ]
      ),
      ("enable_script_checks = true acl { enabled = true }", []),
      ("ui = true", ["The 'ui' field is deprecated. Use the 'ui_config.enabled' field instead."]),
      (
        "tls_min_version = \"tls12\"",
        [
          "'tls_min_version' value 'tls12' is deprecated, please specify 'TLSv1_2' instead",
          "The 'tls_min_version' field is deprecated. Use the 'tls.defaults.tls_min_version' field instead.",
        ]
      ),
      (
        "acl_master_token = \"x\" acl_agent_token = \"y\" acl_datacenter = \"dc1\"",
        [
          "The 'acl_agent_token' field is deprecated. Use the 'acl.tokens.agent' field instead.",
          "The 'acl_master_token' field is deprecated. Use the 'acl.tokens.initial_management' field instead.",
          "The 'acl_datacenter' field is deprecated. Use the 'primary_datacenter' field instead.",
        ]
      ),
      (
        "non_voting_server = true",
        [
          "\"read_replica (or the deprecated non_voting_server)\" is a Consul Enterprise configuration and will have no effect"
        ]
      ),
      (
        "partition = \"p\" audit { enabled = true }",
        [
          "\"partition\" is a Consul Enterprise configuration and will have no effect",
          "\"audit\" is a Consul Enterprise configuration and will have no effect",
        ]
      ),
      (
        "telemetry { prefix_filter = [\"\", \"x\"] }",
        ["Cannot have empty filter rule in prefix_filter", "Filter rule must begin with either '+' or '-': \"x\""]
      ),
    ] as [(String, [String])])
  func whatIsUnwiseIsAWarning(text: String, warnings: [String]) throws {
    #expect(try load(text).warnings == warnings)
  }

  @Test(arguments: [
    ("log_level = \"chatty\"", "Invalid log level: chatty. Valid log levels are: [TRACE DEBUG INFO WARN ERR ERROR]"),
    ("node_id = \"xyz\"", "failed to setup node ID: specified NodeID is invalid: uuid string is wrong length"),
    ("auto_encrypt { tls = true } server = true", "auto_encrypt.tls can only be used on a client."),
    ("tls { defaults { verify_incoming = true } }", "VerifyIncoming set but no CA certificates were provided"),
    (
      "tls { internal_rpc { verify_server_hostname = true } }",
      "VerifyOutgoing set but no CA certificates were provided"
    ),
    (
      "tls { defaults { ca_file = \"/x\" verify_incoming = true } }",
      "VerifyIncoming requires either a Cert and Key pair in the configuration file, or auto_encrypt/auto_config be enabled"
    ),
  ])
  func theStartRefusesWhatValidationAccepts(text: String, message: String) throws {
    #expect(try load(text).configuration.startProblem?.description == message)
  }

  @Test func anOrdinaryAgentMayStart() throws {
    #expect(try load("").configuration.startProblem == nil)
    #expect(
      try load("log_level = \"ERR\" node_id = \"ADF4238A-882b-9ddc-4a9d-5b6758e4159e\"").configuration.startProblem
        == nil)
  }

  @Test func aDataDirectoryIsNeededAndMustBeOne() {
    #expect(refusal("server = true", complete: true) == "data_dir cannot be empty")
    #expect(refusal("server = true", development: true) == nil)
    let host = HostEnvironment.fake(files: ["/f": ""])
    let error = #expect(throws: ConfigurationError.self) { try load("data_dir = \"/f\"", complete: true, host: host) }
    #expect(error?.description == "data_dir \"/f\" is not a directory")
  }

  @Test func severalBadValuesAreReportedTogether() {
    #expect(
      refusal("dns_config { node_ttl = \"x\" } ports { http = 70000 }")
        == "2 errors occurred:\n\t* ports.http: invalid port: 70000\n"
        + "\t* dns_config.node_ttl: invalid duration: \"x\": time: invalid duration \"x\"\n\n")
  }
}
