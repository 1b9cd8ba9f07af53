import SwiftASN1
import X509

/// What the holder of a key asks an authority to certify (PKCS #10, RFC 2986).
public struct SigningRequest: Sendable {
  public let der: [UInt8]
  /// Of the one who asks, and proven to be: the request is signed with its private half.
  public let publicKey: PublicKey
  /// The names that are asked for.
  public let names: AlternativeNames

  /// Asks for names to be certified for a key.
  public init(subject: SubjectName, names: AlternativeNames, key: PrivateKey) throws(CertificatesError) {
    let general = try names.general
    let name = try subject.distinguishedName
    do {
      var attributes = CertificateSigningRequest.Attributes()
      if !names.isEmpty {
        let wanted = try Certificate.Extensions([Certificate.Extension(general, critical: false)])
        attributes.insert(try CertificateSigningRequest.Attribute(ExtensionRequest(extensions: wanted)))
      }
      let request = try CertificateSigningRequest(
        version: .v1, subject: name, privateKey: key.signer, attributes: attributes)
      var coder = DER.Serializer()
      try coder.serialize(request)
      der = coder.serializedBytes
    } catch {
      throw .signing(reason: "\(error)")
    }
    publicKey = key.publicKey
    self.names = names
  }

  /// Reads a request and checks that it is signed by its own key.
  ///
  /// - Throws: `CertificatesError.malformed`, `CertificatesError.badSignature`
  public init(pem: String) throws(CertificatesError) {
    let blocks = try PEMText.blocks(pem, what: "certificate request")
    guard let document = blocks.first(where: { $0.discriminator.hasSuffix("CERTIFICATE REQUEST") }) else {
      throw .malformed(what: "certificate request", reason: "no request in the PEM text")
    }
    let request: CertificateSigningRequest
    do {
      request = try CertificateSigningRequest(derEncoded: document.derBytes)
      let wanted = try request.attributes.extensionRequest?.extensions.subjectAlternativeNames
      names = wanted.map { AlternativeNames($0) } ?? AlternativeNames()
    } catch {
      throw .malformed(what: "certificate request", reason: "\(error)")
    }
    guard request.publicKey.isValidSignature(request.signature, for: request) else { throw .badSignature }
    der = document.derBytes
    publicKey = PublicKey(request.publicKey)
  }

  public var pem: String { PEMDocument(type: "CERTIFICATE REQUEST", derBytes: der).pemString + "\n" }
}
