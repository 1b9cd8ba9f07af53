import Model
import Testing

@testable import AgentConfiguration

@Suite struct AddressTests {
  private static let interfaces: [NetworkInterface] = [
    .loopback,
    .make("eth1", "192.168.7.9", 16, ["up", "broadcast", "forwardable"]),
    .make("eth0", "10.1.2.3", 24, ["up", "broadcast", "forwardable"], isDefault: true),
    .make("eth0", "fe80::1", 64, ["up", "broadcast"], isDefault: true),
    .make("pub0", "8.8.4.4", 24, ["up", "forwardable"]),
    .make("pub0", "2a00::5", 64, ["up", "forwardable"]),
    .make("docker0", "172.17.0.1", 16, ["broadcast", "forwardable"]),
  ]

  @Test(arguments: [
    ("127.0.0.1", "127.0.0.1"), ("{{ GetPrivateIP }}", "10.1.2.3"), ("{{GetPublicIP}}", "8.8.4.4"),
    ("{{ GetPrivateIPs }}", "10.1.2.3 192.168.7.9"), ("{{ GetPublicIPs }}", "8.8.4.4 2a00::5"),
    ("{{ GetInterfaceIP \"eth1\" }}", "192.168.7.9"), ("{{ GetInterfaceIP \"lo\" }}", ""),
    ("{{ GetInterfaceIPs \"pub0\" }}", "8.8.4.4 2a00::5"), ("{{ GetInterfaceIP \"nosuch0\" }}", ""),
    ("{{ GetPrivateInterfaces | include \"network\" \"10.0.0.0/8\" | attr \"address\" }}", "10.1.2.3"),
    ("{{ GetAllInterfaces | include \"flags\" \"loopback\" | join \"address\" \" \" }}", "127.0.0.1"),
    (
      "{{ GetAllInterfaces | include \"name\" \"^eth\" | include \"flags\" \"forwardable|up\" | attr \"address\" }}",
      "192.168.7.9"
    ),
    ("{{ GetPrivateInterfaces | exclude \"name\" \"eth1.*\" | join \"address\" \" \" }}", "10.1.2.3"),
    ("{{ GetAllInterfaces | exclude \"type\" \"ipv4\" | join \"name\" \",\" }}", "eth0,pub0"),
    (
      "{{ GetAllInterfaces | include \"rfc\" \"1918\" | sort \"-address\" | limit 2 | join \"address\" \" \" }}",
      "192.168.7.9 172.17.0.1"
    ),
    ("{{ GetAllInterfaces | sort \"name\" | unique \"name\" | offset 1 | join \"name\" \" \" }}", "eth0 eth1 lo pub0"),
    ("{{ GetAllInterfaces | sort \"name\" | unique \"name\" | offset -2 | join \"name\" \" \" }}", "lo pub0"),
    ("{{ GetDefaultInterfaces | include \"type\" \"IPv4\" | attr \"network\" }}", "10.1.2.0/24"),
    ("{{ GetPrivateIP }} {{- GetInterfaceIP `eth1` -}}", "10.1.2.3 192.168.7.9"),
  ])
  func templatesStandForAddresses(template: String, result: String) throws {
    #expect(try AddressTemplate(interfaces: Self.interfaces).resolve(template) == result)
  }

  @Test(arguments: [
    "{{ GetNothing }}", "{{ GetPrivateIP", "{{ }}", "{{ GetPrivateIP | include \"a\" \"b\" }}",
    "{{ GetAllInterfaces | include \"name\" }}", "{{ GetAllInterfaces | include \"name\" \"(\" }}",
    "{{ GetAllInterfaces | limit \"x\" }}", "{{ GetAllInterfaces | attr \"colour\" }}", "{{ GetInterfaceIP \"a }}",
    "{{ GetAllInterfaces | | attr \"name\" }}", "{{ GetAllInterfaces | include \"network\" \"x\" }}",
  ])
  func badTemplatesAreRefused(template: String) {
    #expect(throws: AddressTemplate.Failure.self) {
      try AddressTemplate(interfaces: Self.interfaces).resolve(template)
    }
  }

  @Test(
    arguments: [
      ("192.0.2.1", "192.0.2.1"), ("[::1]", "::1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1"),
      ("0.0.0.0", "0.0.0.0"), ("1.2.3", nil), ("1.2.3.4.5", nil), ("nohost", nil), ("", nil), ("1.2.3.256", nil),
    ] as [(String, String?)])
  func addressesAreRead(text: String, result: String?) {
    #expect(IPAddress(text)?.description == result)
  }

  @Test func networksContainTheirAddresses() throws {
    let network = try #require(CIDR("10.1.2.3/8"))
    #expect(network.description == "10.0.0.0/8")
    let inside = try #require(IPAddress("10.255.0.1"))
    let outside = try #require(IPAddress("11.0.0.1"))
    #expect(network.contains(inside) && !network.contains(outside))
    for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "x/8", "10.0.0.0/8/9", "::/129"] {
      #expect(CIDR(text) == nil, "\(text)")
    }
  }

  @Test func listenersTakeTheClientAddressUnlessTheyHaveTheirOwn() throws {
    let loaded = try load(
      """
      client_addr = "127.0.0.2 127.0.0.3"
      addresses { http = "unix:///tmp/x.sock 127.0.0.4" }
      ports { https = 8501 grpc = -1 dns = -1 }
      """
    ).configuration.addresses
    #expect(loaded.http.map { $0.shown() } == ["unix:///tmp/x.sock", "tcp://127.0.0.4:8500"])
    #expect(loaded.https.map(\.description) == ["127.0.0.2:8501", "127.0.0.3:8501"])
    #expect(loaded.dns.isEmpty && loaded.grpc.isEmpty)
  }

  @Test func anAgentOnAllAddressesAdvertisesItsOnlyPrivateOne() throws {
    let host = HostEnvironment.fake()
    let one = try load("data_dir = \"/tmp/x\"", complete: true, host: host).configuration.addresses
    #expect(one.advertiseLAN.description == "10.1.2.3" && one.bind.isUnspecified)
    let several = #expect(throws: ConfigurationError.self) {
      try load("data_dir = \"/tmp/x\"", complete: true, host: .fake(interfaces: Self.interfaces))
    }
    #expect(
      several?.description
        == "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.")
    let none = #expect(throws: ConfigurationError.self) {
      try load("data_dir = \"/tmp/x\"", complete: true, host: .fake(interfaces: [.loopback]))
    }
    #expect(none?.description == "Error detecting private IPv4 address: No private IPv4 address found")
  }

  @Test func taggedAddressesNameTheirFamilies() throws {
    let tagged = try load(
      "advertise_addr = \"10.0.0.1\" advertise_addr_ipv6 = \"2001:db8::1\" advertise_addr_wan = \"198.51.100.1\""
    ).configuration.addresses.tagged
    #expect(
      tagged == [
        "lan": "10.0.0.1", "lan_ipv4": "10.0.0.1", "lan_ipv6": "2001:db8::1", "wan": "198.51.100.1",
        "wan_ipv4": "198.51.100.1",
      ])
  }
}
