import Model
import Testing

/// Identities of the mesh as URIs.
@Suite struct SPIFFEIdentityTests {
  private static let domain = "11111111-2222-3333-4444-555555555555.consul"

  private static let table: [(SPIFFEIdentity.Kind, String)] = [
    (.service(namespace: "default", datacenter: "dc1", name: "web"), "/ns/default/dc/dc1/svc/web"),
    (.service(namespace: "default", datacenter: "dc1", name: "a b/c"), "/ns/default/dc/dc1/svc/a%20b%2Fc"),
    (.agent(datacenter: "dc1", node: "n"), "/agent/client/dc/dc1/id/n"),
    (.server(datacenter: "dc1"), "/agent/server/dc/dc1"),
    (.meshGateway(datacenter: "dc1"), "/gateway/mesh/dc/dc1"), (.authority, ""),
  ]

  @Test func everyKindHasItsPath() {
    for (kind, path) in Self.table {
      let identity = SPIFFEIdentity(trustDomain: Self.domain, kind)
      #expect(identity.uri == "spiffe://\(Self.domain)\(path)")
      #expect(SPIFFEIdentity(uri: identity.uri) == identity)
    }
  }

  @Test func otherTextsAreNone() {
    let long = "spiffe://a/ns/default/dc/dc1/svc/" + String(repeating: "x", count: 3000)
    for text in [
      "", "spiffe:", "spiffe://", "http://a", "spiffe://a/", "spiffe://a/b", "spiffe://a?x", "spiffe://a#x",
      "spiffe://a/ns//dc/dc1/svc/web", "spiffe://a/ns/x/dc/dc1/svc/%", "spiffe://a/ns/x/dc/dc1/svc/%FF", long,
    ] {
      #expect(SPIFFEIdentity(uri: text) == nil, "\(text.prefix(60))")
    }
  }

  @Test func whateverIsReadIsWrittenTheSame() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var state = seed
    func random(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(below))
    }
    for _ in 0..<20_000 {
      var bytes = Array("spiffe://\(Self.domain)\(Self.table[random(Self.table.count)].1)".utf8)
      for _ in 0..<random(4) {
        let place = random(bytes.count)
        switch random(3) {
        case 0: bytes[place] = UInt8(random(256))
        case 1: bytes.insert(Array("/%?a".utf8)[random(4)], at: place)
        default: bytes.remove(at: place)
        }
      }
      guard let read = SPIFFEIdentity(uri: String(decoding: bytes, as: UTF8.self)) else { continue }
      #expect(SPIFFEIdentity(uri: read.uri) == read, "seed \(seed)")
    }
  }
}
