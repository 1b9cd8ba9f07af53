import Crypto
import Model

/// A short text that changes with the content of a service: clients that saw it wait for another one.
enum ContentHash {
  /// The first 64 bits of the SHA-256 of the service's JSON, in hexadecimal without leading zeros.
  static func of(_ service: NodeService) -> String {
    var writer = JSONWriter()
    service.encodeJSON(&writer)
    let digest = SHA256.hash(data: writer.finish())
    let head = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return String(head, radix: 16)
  }
}
