/// A name in front of every packet and stream that keeps pools apart which share a network.
enum Label {
  static let countMaximum = 255

  static func header(_ label: String) -> [UInt8] {
    label.isEmpty ? [] : [MessageType.hasLabel.rawValue, UInt8(clamping: label.utf8.count)] + label.utf8
  }

  /// Takes the label off.
  ///
  /// - Throws: `emptyLabel`, `truncated`.
  static func split(
    _ bytes: UnsafeRawBufferPointer
  ) throws(GossipError) -> (label: [UInt8], rest: UnsafeRawBufferPointer) {
    guard bytes.first == MessageType.hasLabel.rawValue else { return ([], bytes) }
    guard bytes.count >= 2 else { throw .truncated(part: "label") }
    let count = Int(bytes[1])
    guard count > 0 else { throw .emptyLabel }
    guard bytes.count >= 2 + count else { throw .truncated(part: "label") }
    return (Array(bytes[2..<2 + count]), UnsafeRawBufferPointer(rebasing: bytes[(2 + count)...]))
  }
}
