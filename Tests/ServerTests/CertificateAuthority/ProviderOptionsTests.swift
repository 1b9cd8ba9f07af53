import Model
import Testing

@testable import Server

/// What the options of the built-in provider may be.
@Suite struct ProviderOptionsTests {
  private static func problem(_ config: DynamicMap) -> String? {
    do throws(ServerError) {
      _ = try ProviderOptions(config)
      return nil
    } catch {
      return error.description
    }
  }

  private static func map(_ members: (String, Dynamic)...) -> DynamicMap {
    DynamicMap(DynamicObject(members.map { (key: $0.0, value: $0.1) }))
  }

  @Test func withoutOptionsThereAreSensibleOnes() throws {
    let options = try ProviderOptions(DynamicMap())
    #expect(options.leafLifetime == .hours(72) && options.rootLifetime == .hours(87600))
    #expect(options.keyKind == .p256)
    #expect(
      options.providerID
        == "fb:50:9b:45:1a:65:15:c1:68:57:73:5f:da:cd:b8:0d:0f:e2:26:eb:68:66:43:11:85:9d:67:a9:7a:56:9c:b9")
  }

  @Test func refusalsSayWhatIsWrong() {
    let table: [(DynamicMap, String)] = [
      (Self.map(("LeafCertTTL", "1m")), "leaf cert TTL must be greater or equal than 1h0m0s"),
      (Self.map(("LeafCertTTL", "9000h")), "leaf cert TTL must be less than 8760h0m0s"),
      (
        Self.map(("LeafCertTTL", "2h"), ("IntermediateCertTTL", "3h")),
        "Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=6h0m0s)."
      ),
      (
        Self.map(("LeafCertTTL", "soon")),
        "error decoding config: 1 error(s) decoding:\n\n* error decoding 'LeafCertTTL': time: invalid duration \"soon\""
      ),
      (
        Self.map(("RootCertTTL", "1h")),
        "root cert TTL is set and is not greater than intermediate cert ttl. root cert ttl: 1h0m0s, "
          + "intermediate cert ttl: 8760h0m0s"
      ),
      (
        Self.map(("PrivateKeyType", "dsa"), ("PrivateKeyBits", 1024)), "private key type must be either 'ec' or 'rsa'"
      ),
      (Self.map(("PrivateKeyType", "rsa"), ("PrivateKeyBits", 100)), "RSA key length must be 2048 or 4096 bits"),
      (
        Self.map(("PrivateKeyType", "ec"), ("PrivateKeyBits", 255)),
        "EC key length must be one of (224, 256, 384, 521) bits"
      ),
    ]
    for (config, text) in table { #expect(Self.problem(config) == "error configuring provider: \(text)") }
    #expect(Self.problem(Self.map(("Bogus", 1), ("PrivateKeyBits", .double(384)))) == nil)
  }

  @Test func otherKeysNeedAnotherRoot() throws {
    let usual = try ProviderOptions(DynamicMap())
    #expect(try ProviderOptions(Self.map(("LeafCertTTL", "1h"))).providerID == usual.providerID)
    #expect(try ProviderOptions(Self.map(("PrivateKeyBits", 384))).providerID != usual.providerID)
    #expect(try ProviderOptions(Self.map(("PrivateKeyType", "rsa"))).keyKind == .rsa(bits: 2048))
  }
}
