import Model
import X509

/// Reads the certificates of a PEM text.
enum PEMCertificates {
  /// Bytes of a text.
  static let sizeLimit = 1 << 20
  private static let begin = "-----BEGIN CERTIFICATE-----"
  private static let end = "-----END CERTIFICATE-----"

  static func parse(_ text: String) throws -> [Certificate] {
    guard text.utf8.count <= sizeLimit else { return [] }
    var certificates: [Certificate] = []
    for piece in text.split(separator: begin, omittingEmptySubsequences: true) {
      guard let range = piece.firstRange(of: end) else { continue }
      certificates.append(try Certificate(pemEncoded: begin + piece[..<range.upperBound] + "\n"))
    }
    return certificates
  }
}
