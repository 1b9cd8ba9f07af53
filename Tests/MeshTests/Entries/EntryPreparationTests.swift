import Mesh
import Model
import Testing

@Suite struct EntryPreparationTests {
  @Test("every kind has rules", arguments: ConfigEntryKind.allCases)
  func hasRules(_ kind: ConfigEntryKind) {
    let entry = ConfigEntry(kind.type.init())
    do throws(ConfigEntryError) {
      _ = try entry.prepared()
    } catch {
      #expect(!error.description.hasSuffix("has no rules"))
    }
  }

  @Test func `the hash is of the content: history and status do not count`() throws {
    let body = try json(#"{"Kind": "tcp-route", "Name": "t", "Services": [{"Name": "db"}]}"#)
    let entry = try ConfigEntry(body: body).prepared()
    var later = entry
    later.record.common.createIndex = 7
    later.record.common.modifyIndex = 8
    var route = try #require(later.as(TCPRoute.self))
    var condition = GatewayCondition()
    condition.type = "Accepted"
    route.status.conditions = [condition]
    #expect(try ConfigEntry(route).prepared().record.common.hash == entry.record.common.hash)
    #expect(try #require(ConfigEntry(route).prepared().as(TCPRoute.self)).status == route.status)
    route.services = []
    #expect(try ConfigEntry(route).prepared().record.common.hash != entry.record.common.hash)
    #expect(entry.record.common.hash != 0)
  }

  @Test func `what users note on an entry has limits`() throws {
    var defaults = ServiceDefaults(name: "web")
    defaults.common.meta = StringMap((0..<65).map { (key: "key-\($0)", value: "") })
    #expect(throws: ConfigEntryError("1 error occurred:\n\t* Meta exceeds maximum element count 64\n\n")) {
      try ConfigEntry(defaults).prepared()
    }
    let key = String(repeating: "k", count: 129)
    defaults.common.meta = StringMap([(key: key, value: String(repeating: "v", count: 513))])
    #expect(
      throws: ConfigEntryError(
        "2 errors occurred:\n\t* Meta key \"\(key)\" exceeds maximum length 128\n"
          + "\t* Meta value for key \"\(key)\" exceeds maximum length 512\n\n")
    ) { try ConfigEntry(defaults).prepared() }
  }

  // MARK: inline certificates

  private struct Inspection: CertificateInspection {
    var key: KeyFacts?
    var certificate: KeyFacts?

    func privateKey(pem: String) -> KeyFacts? { pem == "key" ? key : nil }
    func certificateKey(pem: String) -> KeyFacts? { pem == "certificate" ? certificate : nil }
  }

  private func check(_ inspection: Inspection, certificate: String = "certificate", key: String = "key") -> String? {
    var entry = InlineCertificate(name: "c")
    entry.certificate = certificate
    entry.privateKey = key
    do throws(ConfigEntryError) {
      _ = try ConfigEntry(entry).prepared(inspection)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `an inline certificate needs a key that belongs to it and is strong enough`() {
    let strong = KeyFacts(rsaBits: 2048, publicKey: [1])
    let curve = KeyFacts(publicKey: [2])
    #expect(check(Inspection(key: strong, certificate: strong)) == nil)
    #expect(check(Inspection(key: curve, certificate: curve)) == nil)
    #expect(check(Inspection(key: strong), key: "") == "failed to parse private key PEM")
    #expect(check(Inspection(key: strong, certificate: strong), certificate: "") == "failed to parse certificate PEM")
    let weak = KeyFacts(rsaBits: 1024, publicKey: [1])
    #expect(check(Inspection(key: weak, certificate: weak)) == "key length must be at least 2048 bits")
    #expect(
      check(Inspection(key: curve, certificate: strong)) == "tls: private key type does not match public key type")
    #expect(
      check(Inspection(key: KeyFacts(publicKey: [3]), certificate: curve))
        == "tls: private key does not match public key")
  }
}
