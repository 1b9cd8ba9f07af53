import Model

/// What a node says of itself: names and values, at most 512 bytes encoded.
public enum Tags {
  public static let countMaximum = 512
  private static let marker: UInt8 = 0xFF

  static func encode(_ tags: [String: String]) -> [UInt8] {
    var writer = MessagePackWriter()
    writer.mapHeader(tags.count)
    for (key, value) in tags.sorted(by: { bytewiseLess($0.key, $1.key) }) {
      writer.string(key)
      writer.string(value)
    }
    return [marker] + writer.bytes
  }

  /// Never fails: what is no map is the value of the tag `role`, as nodes of the first days sent it.
  static func decode(_ meta: [UInt8]) -> [String: String] {
    guard meta.first == marker else {
      return meta.isEmpty ? [:] : ["role": String(decoding: meta, as: UTF8.self)]
    }
    return meta.withUnsafeBytes { bytes in
      var reader = MessagePackReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
      return (try? [String: String](from: &reader)) ?? [:]
    }
  }
}
