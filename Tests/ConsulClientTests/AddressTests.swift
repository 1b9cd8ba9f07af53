import Testing

@testable import ConsulClient

struct AddressTests {
  @Test(
    "An address is read from all its written forms",
    arguments: [
      ("127.0.0.1:8500", AgentAddress(endpoint: .host("127.0.0.1", port: 8500))),
      ("http://consul.example:80", AgentAddress(endpoint: .host("consul.example", port: 80))),
      ("http://consul.example", AgentAddress(endpoint: .host("consul.example", port: 80))),
      ("https://consul.example", AgentAddress(endpoint: .host("consul.example", port: 443), isSecure: true)),
      (
        "https://h:8501/proxy/consul/",
        .init(endpoint: .host("h", port: 8501), isSecure: true, pathPrefix: "proxy/consul")
      ),
      ("[::1]:8500", AgentAddress(endpoint: .host("::1", port: 8500))),
      (":8500", AgentAddress(endpoint: .host("127.0.0.1", port: 8500))),
      ("unix:///run/consul.sock", AgentAddress(endpoint: .unixSocket("/run/consul.sock"))),
    ])
  func forms(text: String, expected: AgentAddress) throws {
    #expect(try AgentAddress(parsing: text) == expected)
  }

  @Test(
    "What is no address is refused",
    arguments: ["ftp://h:1", "h:port", "h:0", "h:65536", ":::", "[::1]8500", "a b:1", "http://h:1:2"])
  func refusals(text: String) {
    #expect(throws: ClientError.self) { try AgentAddress(parsing: text) }
  }

  @Test("TLS that was asked for is not taken back by http://")
  func secureStays() throws {
    #expect(try AgentAddress(parsing: "http://h:8501", secure: true).isSecure)
  }

  @Test("An unknown scheme is named")
  func schemeText() {
    let error = #expect(throws: ClientError.self) { try AgentAddress(parsing: "ftp://h:1") }
    #expect(error?.description == "Unknown protocol scheme: ftp")
  }

  @Test("No text of any kind ends the program", arguments: [1, 2, 3, 4] as [UInt64])
  func noise(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet = Array("h:/[]0159%?#@. unixttps-é\0")
    for _ in 0..<2_000 {
      let text = String(
        (0..<Int.random(in: 0...24, using: &generator)).map { _ in
          alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        })
      if let address = try? AgentAddress(parsing: text), case .host(let host, let port) = address.endpoint {
        #expect(!host.isEmpty && (1...65535).contains(port), "seed \(seed): \(text)")
      }
    }
  }

  @Test("The environment configures a client")
  func environment() throws {
    let configuration = try ClientConfiguration(environment: [
      "CONSUL_HTTP_ADDR": "10.0.0.1:8501", "CONSUL_HTTP_SSL": "true", "CONSUL_HTTP_SSL_VERIFY": "0",
      "CONSUL_HTTP_TOKEN": "secret", "CONSUL_HTTP_AUTH": "user:pass:word", "CONSUL_CACERT": "ca.pem",
      "CONSUL_CAPATH": "cas", "CONSUL_CLIENT_CERT": "c.pem", "CONSUL_CLIENT_KEY": "k.pem",
      "CONSUL_TLS_SERVER_NAME": "server.dc1.consul", "CONSUL_NAMESPACE": "team", "CONSUL_PARTITION": "",
    ])
    #expect(configuration.address == AgentAddress(endpoint: .host("10.0.0.1", port: 8501), isSecure: true))
    #expect(configuration.token == "secret")
    #expect(configuration.credentials == .init(user: "user", password: "pass:word"))
    var tls = ClientConfiguration.TLS()
    tls.authorityFile = "ca.pem"
    tls.authorityDirectory = "cas"
    tls.certificateFile = "c.pem"
    tls.keyFile = "k.pem"
    tls.serverName = "server.dc1.consul"
    tls.verifies = false
    #expect(configuration.tls == tls)
    #expect(configuration.namespace == "team")
    #expect(configuration.partition == nil)
  }

  @Test("A variable without meaning is reported and passed over")
  func warning() throws {
    var warnings: [String] = []
    let configuration = try ClientConfiguration(environment: ["CONSUL_HTTP_SSL": "perhaps"]) { warnings.append($0) }
    #expect(!configuration.address.isSecure)
    #expect(warnings.count == 1 && warnings[0].contains("CONSUL_HTTP_SSL"))
  }

  @Test("An address of the caller wins over the environment's")
  func explicitAddress() throws {
    let configuration = try ClientConfiguration(environment: ["CONSUL_HTTP_ADDR": "ftp://no"], address: "h:1")
    #expect(configuration.address.endpoint == .host("h", port: 1))
  }

  @Test("Files that do not exist are told before anything is sent")
  func missingFiles() throws {
    func text(_ change: (inout ClientConfiguration) -> Void) -> String? {
      var configuration = ClientConfiguration()
      change(&configuration)
      do {
        _ = try ConsulClient(configuration)
        return nil
      } catch {
        return error.description
      }
    }
    #expect(
      text { $0.tokenFile = "absent" }
        == "Error loading token file absent : open absent: no such file or directory")
    #expect(
      text { $0.tls.authorityFile = "absent" } == "Error loading CA File: open absent: no such file or directory")
    #expect(
      text { $0.tls.authorityDirectory = "absent" } == "Error loading CA Path: open absent: no such file or directory")
    #expect(text { $0.tls.keyFile = "k.pem" } == "both client cert and client key must be provided")
  }
}
