import AccessControl
import Certificates
import Foundation
import Model
import Testing

@testable import Server

/// What somebody may have certified.
@Suite struct LeafRequestTests {
  private static let domain = "11111111-2222-3333-4444-555555555555.consul"

  private static func request(
    _ uris: [String], dnsNames: [String] = [], addresses: [String] = []
  ) throws -> (LeafRequest, PrivateKey) {
    let key = try PrivateKey.generate(.p256)
    let pem = try SigningRequest(
      subject: SubjectName([]), names: AlternativeNames(dnsNames: dnsNames, addresses: addresses, uris: uris), key: key
    ).pem
    return (try LeafRequest(pem: pem), key)
  }

  private static func problem(_ uris: [String], dnsNames: [String] = []) throws -> String? {
    do {
      let (request, _) = try request(uris, dnsNames: dnsNames)
      try request.check(trustDomain: domain, datacenter: "dc1")
      return nil
    } catch let error as ServerError {
      return error.description
    }
  }

  private static func uri(_ kind: SPIFFEIdentity.Kind, _ domain: String = Self.domain) -> String {
    SPIFFEIdentity(trustDomain: domain, kind).uri
  }

  @Test func anIdentityDecidesWhichRightIsNeeded() throws {
    let table: [(SPIFFEIdentity.Kind, Permission)] = [
      (.service(namespace: "default", datacenter: "dc1", name: "a b"), .serviceWrite("a b")),
      (.agent(datacenter: "dc1", node: "n"), .nodeWrite("n")), (.meshGateway(datacenter: "dc1"), .meshWrite),
      (.server(datacenter: "dc1"), .aclWrite),
    ]
    for (kind, permission) in table {
      #expect(try Self.request([Self.uri(kind)]).0.permission == permission)
      #expect(SPIFFEIdentity(uri: Self.uri(kind))?.kind == kind)
    }
  }

  @Test func otherDomainsDatacentersAndFormsAreRefused() throws {
    let service = SPIFFEIdentity.Kind.service(namespace: "default", datacenter: "dc1", name: "web")
    #expect(try Self.problem([Self.uri(service)]) == nil)
    #expect(try Self.problem([Self.uri(service, "other.consul")])?.contains("different trust domain") == true)
    let elsewhere = SPIFFEIdentity.Kind.service(namespace: "default", datacenter: "dc2", name: "web")
    #expect(try Self.problem([Self.uri(elsewhere)])?.contains("different datacenter") == true)
    #expect(try Self.problem([]) == "CSR SAN contains an invalid number of URIs: 0")
    #expect(try Self.problem([Self.uri(service), Self.uri(service)])?.contains("number of URIs: 2") == true)
    #expect(try Self.problem([Self.uri(.authority)])?.contains("must be a service") == true)
    for text in ["https://a/b", "spiffe://", "spiffe://x/ns/default/dc/dc1/svc/", "spiffe://x/a%zz", "spiffe://x/y/z"] {
      #expect(try Self.problem([text])?.contains("not in the expected format") == true, "\(text)")
    }
    #expect(throws: ServerError.self) { try LeafRequest(pem: "") }
    #expect(throws: ServerError.self) { try LeafRequest(pem: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n") }
  }

  @Test func anAgentMayNotKnowTheDomainYetButIsNeverAServer() throws {
    let agent = SPIFFEIdentity.Kind.agent(datacenter: "dc1", node: "n")
    #expect(try Self.problem([Self.uri(agent, SPIFFEIdentity.unknownTrustDomain)]) == nil)
    #expect(try Self.problem([Self.uri(agent)], dnsNames: ["localhost", "a.example"]) == nil)
    #expect(try Self.problem([Self.uri(agent)], dnsNames: ["Server.dc1.consul"])?.contains("name of a server") == true)
    let service = SPIFFEIdentity.Kind.service(namespace: "default", datacenter: "dc1", name: "web")
    #expect(try Self.problem([Self.uri(service, SPIFFEIdentity.unknownTrustDomain)]) != nil)
  }

  @Test func whatIsSignedNamesItsHolderOnly() throws {
    let maker = RootMaker(clusterID: String(Self.domain.dropLast(7)), options: try ProviderOptions(DynamicMap()))
    let now: Int64 = 1_700_000_000
    let root = try maker.make(serial: 7, now: now)
    #expect(root.certificate.names.uris == ["spiffe://\(Self.domain)"])
    #expect(root.certificate.notAfter - root.certificate.notBefore == 315_360_000)
    let record = maker.record(root, intermediates: [])
    #expect(record.active && record.serialNumber == 7 && record.privateKeyBits == 256)
    #expect(record.signingKeyID == HexadecimalPairs.text(root.certificate.keyIdentifier ?? []))
    let (request, key) = try Self.request(
      [Self.uri(.agent(datacenter: "dc1", node: "n"), SPIFFEIdentity.unknownTrustDomain)], dnsNames: ["localhost"],
      addresses: ["127.0.0.1", "::1"])
    let leaf = try request.sign(root, trustDomain: Self.domain, lifetime: .hours(72), serial: 9, now: now)
    #expect(leaf.isSigned(by: root.certificate) && leaf.publicKey == key.publicKey && !leaf.isAuthority)
    #expect(leaf.names.uris == ["spiffe://\(Self.domain)/agent/client/dc/dc1/id/n"])
    #expect(leaf.names.dnsNames == ["localhost"] && leaf.names.addresses == ["127.0.0.1", "::1"])
    #expect(leaf.notBefore == now - 60 && leaf.notAfter - leaf.notBefore == 259_200)
    #expect(request.answer(leaf, chain: [], trustDomain: Self.domain).serialNumber == "09")
  }

  @Test(arguments: ["ec", "rsa"]) func aNewRootIsIntroducedByTheOldOne(type: String) throws {
    var options = try ProviderOptions(DynamicMap())
    let old = try RootMaker(clusterID: "x", options: options).make(serial: 1, now: 1_700_000_000)
    (options.keyType, options.keyBits) = (type, type == "rsa" ? 2048 : 521)
    let maker = RootMaker(clusterID: "x", options: options)
    let new = try maker.make(serial: 2, now: 1_700_000_000)
    let link = try maker.introduce(new.certificate, by: old, serial: 3, now: 1_700_000_000)
    #expect(link.isSigned(by: old.certificate) && link.publicKey == new.certificate.publicKey && link.isAuthority)
    #expect(link.keyIdentifier == new.certificate.keyIdentifier)
    #expect(link.notAfter - link.notBefore == 604_800)
  }

  @Test func damagedRequestsAreRefused() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var state = seed
    func random(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(below))
    }
    let uri = Self.uri(.service(namespace: "default", datacenter: "dc1", name: "web"))
    let key = try PrivateKey.generate(.p256)
    let der = try SigningRequest(subject: SubjectName([]), names: AlternativeNames(uris: [uri]), key: key).der
    for _ in 0..<500 {
      var bytes = der
      for _ in 0...random(3) { bytes[random(bytes.count)] = UInt8(random(256)) }
      guard bytes != der else { continue }
      let body = Data(bytes).base64EncodedString(options: .lineLength64Characters)
      let pem = "-----BEGIN CERTIFICATE REQUEST-----\n\(body)\n-----END CERTIFICATE REQUEST-----\n"
      // Whatever was changed, the signature does not fit any more.
      #expect(throws: ServerError.self, "seed \(seed)") { try LeafRequest(pem: pem) }
    }
  }
}
