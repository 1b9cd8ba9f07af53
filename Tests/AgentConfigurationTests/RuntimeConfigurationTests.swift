import Model
import Testing

@testable import AgentConfiguration

@Suite struct RuntimeConfigurationTests {
  @Test func clientsAndServersDifferInTheirDefaults() throws {
    let client = try load("").configuration
    #expect(!client.isServer && client.leaveOnTerminate && !client.skipLeaveOnInterrupt)
    #expect(client.ports.grpcTLS == -1 && client.addresses.grpcTLS.isEmpty)
    let server = try load("server = true").configuration
    #expect(server.isServer && !server.leaveOnTerminate && server.skipLeaveOnInterrupt)
    #expect(server.ports.grpcTLS == 8503)
    #expect(server.raft.electionTimeout == .seconds(5) && server.raft.leaderLeaseTimeout == .milliseconds(2500))
    #expect(server.primaryDatacenter == "dc1" && server.nodeName == "host")
    #expect(try load("server = true leave_on_terminate = true").configuration.leaveOnTerminate)
  }

  @Test func developmentModeStartsAServerInMemory() throws {
    let loaded = try load("", development: true).configuration
    #expect(loaded.isServer && loaded.isDevelopment && loaded.ui.enabled && loaded.enableDebug)
    #expect(loaded.ports.grpc == 8502 && loaded.logging.level == "DEBUG")
    #expect(loaded.raft.electionTimeout == .milliseconds(52))
    #expect(loaded.gossipLAN.suspicionMultiplier == 3 && loaded.gossipWAN.probeInterval == .milliseconds(100))
    #expect(try load("server = false ports { grpc = -1 }", development: true).configuration.ports.grpc == -1)
  }

  @Test func aSingleExpectedServerElectsItself() throws {
    let loaded = try load("server = true bootstrap_expect = 1").configuration
    #expect(loaded.bootstrap && loaded.bootstrapExpect == 0)
  }

  @Test func interfacesOfTLSInheritAndOverride() throws {
    let tls = try load(
      """
      server = true
      ports { grpc = -1 }
      tls {
        defaults { ca_file = "/ca" cert_file = "/c" key_file = "/k" verify_incoming = true verify_outgoing = true tls_min_version = "TLSv1_3" }
        https { verify_incoming = false tls_min_version = "TLSv1_2" tls_cipher_suites = "TLS_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_AES_256_CBC_SHA" }
        internal_rpc { verify_server_hostname = true ca_file = "/other" }
      }
      """
    ).configuration.tls
    #expect(!tls.https.verifyIncoming && tls.https.minVersion == .tls12 && tls.https.cipherSuites.count == 2)
    #expect(tls.internalRPC.verifyServerHostname && tls.internalRPC.caFile == "/other")
    #expect(tls.grpc.verifyIncoming && !tls.grpc.verifyOutgoing && tls.grpc.minVersion == .tls13)
    let old = try load("ca_file = \"/ca\" verify_incoming_https = true verify_server_hostname = true").configuration.tls
    #expect(old.https.verifyIncoming && !old.internalRPC.verifyIncoming && old.internalRPC.verifyOutgoing)
  }

  @Test func unlimitedRatesAreInfinite() throws {
    let limits = try load("limits { rpc_rate = 12.5 request_limits { mode = \"enforcing\" read_rate = 10 } }")
      .configuration.limits
    #expect(limits.rpcRate == 12.5 && limits.readRate == 10 && limits.writeRate == .infinity)
    #expect(limits.requestMode == .enforcing)
  }

  @Test func servicesAndChecksBecomeRecords() throws {
    let loaded = try load(
      """
      service {
        name = "web" id = "web-1" port = 8080 enable_tag_override = true
        tags = ["a", "b",]
        meta { text = "two" }
        tagged_addresses { lan { address = "192.0.2.1" port = 80 } }
        connect { sidecar_service { proxy { upstreams { destination_name = "db" local_bind_port = 5432 } } } }
        check { id = "c" http = "http://x" interval = "10s" header { X = ["1"] } deregister_critical_service_after = "1m" }
      }
      services = [{ Name = "CamelCase", EnableTagOverride = true }]
      check { id = "n" name = "node" ttl = "30s" service_id = "web-1" }
      """
    ).configuration
    let web = try #require(loaded.services.first { $0.id == "web-1" })
    #expect(web.port == 8080 && web.enableTagOverride && web.tags == ["a", "b"])
    #expect(web.meta["text"] == "two" && web.taggedAddresses["lan"]?.port == 80)
    let sidecar = web.connect?.value.sidecarService?.value
    #expect(sidecar?.proxy?.value.upstreams.map(\.destinationName) == ["db"])
    #expect(web.allChecks.map(\.interval) == [.seconds(10)])
    #expect(web.allChecks[0].header == ["X": ["1"]] && web.allChecks[0].deregisterCriticalServiceAfter == .minutes(1))
    #expect(loaded.services.contains { $0.effectiveID == "CamelCase" && $0.enableTagOverride })
    #expect(loaded.checks.map(\.type.ttl) == [.seconds(30)] && loaded.checks[0].serviceID == "web-1")
  }

  @Test func optionsOfTheCertificateAuthorityHaveTheirNamesInTheAPI() throws {
    let connect = try load(
      "connect { ca_provider = \"consul\" ca_config { leaf_cert_ttl = \"72h\" csr_max_per_second = 5 RootCert = \"x\" root_pki_path = \"p\" } }"
    ).configuration.connect
    #expect(connect.caConfig["LeafCertTTL"] == "72h" && connect.caConfig["CSRMaxPerSecond"] == 5)
    #expect(connect.caConfig["RootCert"] == "x" && connect.caConfig["RootPKIPath"] == "p")
  }

  @Test func prefixFiltersAreSorted() throws {
    let telemetry = try load("telemetry { prefix_filter = [\"+consul.raft.apply\", \"-consul.http\"] }")
      .configuration.telemetry
    #expect(telemetry.allowedPrefixes == ["consul.raft.apply"])
    #expect(telemetry.blockedPrefixes == ["consul.http", "consul.rpc.server.call"])
  }

  @Test func auditSinksAreNamedBlocks() throws {
    let audit = try load(
      "audit { enabled = true sink \"My sink\" { type = \"file\" format = \"json\" path = \"a.json\" rotate_duration = \"24h\" rotate_bytes = 100 } }"
    ).configuration.audit
    #expect(audit.enabled && audit.sinks.map(\.name) == ["My sink"] && audit.sinks[0].rotateDuration == .hours(24))
    #expect(refusal("audit { sink \"a\" { type = \"syslog\" } }") != nil)
  }

  @Test func theSelfDescriptionShowsValuesAndHidesSecrets() throws {
    let loaded = try load(
      "acl { tokens { agent = \"secret\" } } encrypt = \"\" node_meta { zone = \"z1\" }", development: true)
    let debug = loaded.configuration.debugConfiguration(nodeID: "id", version: "1.21.4")
    let text = Dynamic.object(debug).json
    #expect(!text.contains("secret"))
    #expect(debug["NodeMeta"] == ["zone": "z1"] && debug["NodeID"] == "id" && debug["DNSDomain"] == "consul.")
    #expect(debug["HTTPAddrs"] == ["tcp://127.0.0.1:8500"])
    #expect(debug["DNSAddrs"] == ["tcp://127.0.0.1:8600", "udp://127.0.0.1:8600"])
    #expect(debug["ConsulRaftElectionTimeout"] == "52ms" && debug["MaxQueryTime"] == "10m0s")
    #expect(debug["ACLTokens"]?["ACLAgentToken"] == "hidden" && debug["TLS"]?["GRPC"]?["TLSMinVersion"] == "TLSv1_2")
    #expect(debug.members.map(\.key) == debug.members.map(\.key).sorted(by: bytewiseLess))
  }
}

@Suite struct ReloadTests {
  @Test func changesAreSortedIntoAppliedAndIgnored() throws {
    let old = try load("node_meta { keep = \"old\" } dns_config { node_ttl = \"5s\" } log_level = \"info\"")
      .configuration
    let new = try load(
      """
      node_meta { keep = "new" } dns_config { node_ttl = "50s" service_ttl { "*" = "60s" } } log_level = "warn"
      datacenter = "other" check { id = "d" name = "d" ttl = "10m" }
      """
    ).configuration
    let changes = ConfigurationChanges(from: old, to: new)
    #expect(changes.applied == ["log_level", "dns_config.node_ttl", "dns_config.service_ttl", "check"])
    #expect(changes.ignored == ["datacenter", "node_meta"])
    #expect(changes.applies(to: "dns_config") && !changes.applies(to: "limits"))
    #expect(ConfigurationChanges(from: old, to: old).isEmpty)
  }

  @Test func aReloadTakesWhatItMayAndKeepsTheRest() throws {
    let old = try load("node_meta { keep = \"old\" } acl { tokens { initial_management = \"a\" default = \"b\" } }")
      .configuration
    let new = try load(
      """
      node_meta { keep = "new" } datacenter = "other" domain = "other" ports { http = 1 }
      dns_config { node_ttl = "50s" } http_config { response_headers { X = "y" } } log_level = "warn"
      acl { enabled = true tokens { initial_management = "c" default = "d" } } limits { rpc_max_burst = 7 kv_max_value_size = 7 }
      service { name = "web" }
      """
    ).configuration
    let running = old.reloaded(with: new)
    #expect(running.datacenter == "dc1" && running.nodeMeta == ["keep": "old"] && running.ports.http == 8500)
    #expect(running.dns.domain == "consul." && running.dns.nodeTTL == .seconds(50))
    #expect(running.http.responseHeaders == ["X": "y"] && running.logging.level == "warn")
    #expect(running.acl.tokens.initialManagement == "a" && running.acl.tokens.default == "d" && !running.acl.enabled)
    #expect(running.limits.rpcMaxBurst == 7 && running.limits.kvMaxValueSize == 524_288)
    #expect(running.services.map(\.effectiveID) == ["web"])
    // The next reload with the same files has nothing more to apply, and still names what waits for a restart.
    let again = ConfigurationChanges(from: running, to: new)
    #expect(again.applied.isEmpty && again.ignored.contains("datacenter"))
  }
}
