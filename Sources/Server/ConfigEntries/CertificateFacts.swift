import Certificates
import Mesh

/// What the rules of certificates ask, answered by looking into them.
struct CertificateFacts: CertificateInspection {
  func privateKey(pem: String) -> KeyFacts? {
    guard let key = try? PrivateKey(pem: pem) else {
      return PrivateKey.weakBits(pem: pem).map { KeyFacts(rsaBits: $0, publicKey: []) }
    }
    var facts = KeyFacts(publicKey: key.publicKey.fullIdentifier)
    if case .rsa(let bits) = key.kind { facts.rsaBits = bits }
    return facts
  }

  func certificateKey(pem: String) -> KeyFacts? {
    (try? SignedCertificate(pem: pem)).map { KeyFacts(publicKey: $0.publicKey.fullIdentifier) }
  }
}
