/// Percent-encoding (RFC 3986) of what users name freely: keys, services, filters.
enum PercentEncoding {
  /// A path: slashes and the characters that mean nothing in a path stay.
  static func path(_ text: String) -> String {
    encode(text, keeping: Set("-_.~$&+,/:;=@".utf8), spaceAsPlus: false)
  }

  /// A name or value within a query.
  static func query(_ text: String) -> String {
    encode(text, keeping: Set("-_.~".utf8), spaceAsPlus: true)
  }

  private static let hexadecimal = Array("0123456789ABCDEF".utf8)

  private static func encode(_ text: String, keeping kept: Set<UInt8>, spaceAsPlus: Bool) -> String {
    var encoded: [UInt8] = []
    encoded.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        encoded.append(byte)
      case UInt8(ascii: " ") where spaceAsPlus: encoded.append(UInt8(ascii: "+"))
      case _ where kept.contains(byte): encoded.append(byte)
      default: encoded += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }
}
