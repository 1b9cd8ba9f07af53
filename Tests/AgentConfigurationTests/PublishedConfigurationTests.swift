import HCL
import Model
import Testing

@testable import AgentConfiguration

/// Configurations as walkthroughs on the web print them: each loads as a reader writes it.
@Suite struct PublishedConfigurationTests {
  @Test func aServerOfAPaymentSystem() throws {
    let loaded = try load(
      """
      # consul-server.hcl
      server = true
      datacenter = "dc1"
      data_dir = "/opt/consul/data"
      ui = true
      log_level = "INFO"
      bind_addr = "0.0.0.0"
      client_addr = "0.0.0.0"
      advertise_addr = "192.168.1.10"
      bootstrap_expect = 3

      # 服务网格配置
      connect {
        enabled = true
      }
      ports {
        grpc = 8502
      }
      acl {
        enabled = true
        default_policy = "deny"
        down_policy = "extend-cache"
      }
      """, complete: true)
    #expect(
      loaded.warnings == [
        "The 'ui' field is deprecated. Use the 'ui_config.enabled' field instead.",
        "bootstrap_expect > 0: expecting 3 servers",
      ])
    #expect(loaded.configuration.ui.enabled && loaded.configuration.acl.defaultPolicy == "deny")
    #expect(loaded.configuration.addresses.advertiseLAN.description == "192.168.1.10")
  }

  @Test func aClientThatJoinsThreeServers() throws {
    let loaded = try load(
      """
      server = false
      data_dir = "/opt/consul/data"
      bind_addr = "0.0.0.0"
      advertise_addr = "192.168.1.11"
      retry_join = ["192.168.1.10", "192.168.1.11", "192.168.1.12"]
      connect { enabled = true }
      ports { grpc = 8502 }
      """, complete: true
    ).configuration
    #expect(loaded.join.lan == ["192.168.1.10", "192.168.1.11", "192.168.1.12"])
  }

  @Test func tuningWithManagedProxies() throws {
    let loaded = try load(
      """
      server = true
      performance { raft_multiplier = 1 }
      limits { http_max_conns_per_client = 200 }
      telemetry { disable_hostname = true prometheus_retention_time = "60s" }
      connect {
        enabled = true
        proxy {
          allow_managed_root = true
          allow_managed_api_registration = true
        }
      }
      """
    ).configuration
    #expect(loaded.connect.allowManagedProxyAsRoot && loaded.connect.allowManagedProxyAPIRegistration)
    #expect(loaded.telemetry.prometheusRetention == .minutes(1) && loaded.raft.electionTimeout == .seconds(1))
  }

  @Test func securitySettings() throws {
    let loaded = try load(
      """
      acl { enabled = true default_policy = "deny" down_policy = "extend-cache" }
      tls {
        defaults {
          ca_file = "/etc/consul/ca.crt"
          cert_file = "/etc/consul/server.crt"
          key_file = "/etc/consul/server.key"
          verify_incoming = true
          verify_outgoing = true
        }
      }
      connect {
        enabled = true
        ca_provider = "consul"
        ca_config { leaf_cert_ttl = "72h" }
      }
      """
    ).configuration
    #expect(loaded.tls.https.verifyIncoming && loaded.connect.caConfig["LeafCertTTL"] == "72h")
  }

  @Test func highAvailability() throws {
    let loaded = try load(
      """
      server = true
      bootstrap_expect = 3
      datacenter = "dc1"
      addresses { http = "0.0.0.0" https = "0.0.0.0" grpc = "0.0.0.0" }
      performance { raft_multiplier = 1 }
      autopilot { cleanup_dead_servers = true last_contact_threshold = "200ms" max_trailing_logs = 250 }
      """
    ).configuration
    #expect(loaded.addresses.http.map(\.description) == ["0.0.0.0:8500"] && loaded.autopilot.maxTrailingLogs == 250)
  }

  @Test func monitoringWithZipkin() throws {
    let loaded = try load(
      """
      telemetry {
        prometheus_retention_time = "1m"
        disable_hostname = true
      }
      tracing {
        zipkin = {
          url = "http://zipkin:9411/api/v2/spans"
        }
      }
      log_level = "INFO"
      log_json = true
      """
    ).configuration
    #expect(loaded.tracing.zipkinURL == "http://zipkin:9411/api/v2/spans" && loaded.logging.json)
    #expect(refusal("tracing { otlp { endpoint = \"zipkin\" } }") != nil)
  }

  @Test func aServiceWithTwoCheckBlocks() throws {
    let text = """
      service {
        name = "account-service"
        id = "account-service-1"
        address = "192.168.1.20"
        port = 8080
        check {
          id = "api-health"
          name = "HTTP API Health Check"
          http = "http://192.168.1.20:8080/health"
          method = "GET"
          interval = "10s"
          timeout = "5s"
          deregister_critical_service_after = "1m"
        }
        check {
          id = "tcp-health"
          name = "TCP Health Check"
          tcp = "192.168.1.20:8080"
          interval = "30s"
          timeout = "5s"
        }
        tags = ["primary", "v1.2.0"]
        connect { native = true }
      }
      """
    let service = try #require(try load(text).configuration.services.first)
    #expect(service.allChecks.map(\.checkID) == ["api-health", "tcp-health"])
    #expect(service.connect?.value.native == true)
    let error = #expect(throws: ConfigurationError.self) {
      try load(text.replacing("tcp = ", with: "tpc = "))
    }
    #expect(error?.description.contains("invalid config key service.check[1].tpc") == true)
  }

  @Test func servicesWithManagedProxiesOf2018() throws {
    var flags = AgentFlags()
    flags.isDevelopment = true
    flags.configPaths = ["conf.d"]
    let files = [
      "conf.d/01_service1.json": """
      {"service": {"name": "service1", "port": 8081, "connect": {"proxy": {"config": {"upstreams": [
        {"destination_name": "service2", "local_bind_port": 38082}]}}}}}
      """,
      "conf.d/02_service2.json": #"{"service": {"name": "service2", "port": 8082, "connect": {"proxy": {}}}}"#,
    ]
    let services = try ConfigurationLoader(flags: flags, host: .fake(files: files)).load().configuration.services
    let proxy = try #require(services.first { $0.name == "service1" }?.connect?.value.proxy?.value)
    let upstream = try #require(proxy.config["upstreams"]?.array?.first)
    #expect(upstream["destination_name"] == "service2" && upstream["local_bind_port"]?.int == 38082)
    #expect(services.first { $0.name == "service2" }?.connect?.value.proxy?.value == ManagedProxy())
    #expect(
      refusal("service { name = \"x\" connect { proxy { typo = 1 } } }")?.contains("service.connect.proxy.typo") == true
    )
  }

  @Test func accessControlWithPersistentTokens() throws {
    let loaded = try load("acl {\n enabled = true\n default_policy = \"deny\"\n enable_token_persistence = true\n}")
    #expect(loaded.configuration.acl.enableTokenPersistence)
  }

  @Test func ruleFilesAndConfigurationEntriesParse() throws {
    let rules = try HCL.parse(
      """
      Name = "service-policy"
      Rules = <<EOF
      service "account-service" {
        policy = "write"
      }
      service "" {
        policy = "read"
      }
      EOF
      """)
    #expect(rules.plain["Rules"]?.string?.hasPrefix("service \"account-service\" {\n  policy") == true)
    let inner = try HCL.parse(rules.plain["Rules"]?.string ?? "")
    #expect(inner.entries.map(\.labels) == [["account-service"], [""]])
    let entry = try HCL.parse(
      """
      Kind = "service-router"
      Name = "api"
      Routes = [
        {
          Match { HTTP { Header = [ { Name = "x-version" Exact = "v2" } ] } }
          Destination { Service = "api" ServiceSubset = "v2" }
        },
      ]
      Subsets = { "v1" = { Filter = "Service.Meta.version == v1" } }
      """)
    #expect(entry.plain["Routes"]?.array?.first?["Destination"]?["ServiceSubset"] == "v2")
    #expect(entry.plain["Subsets"]?["v1"]?["Filter"] == "Service.Meta.version == v1")
  }
}
