import NIOCore

/// Buffers that wait to be sent, handed out in pieces without copying.
struct YamuxSendQueue: Sendable {
  private var buffers: [ByteBuffer] = []
  /// Index of the first one that is not gone; those before are removed from time to time.
  private var first = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ buffer: ByteBuffer) {
    guard buffer.readableBytes > 0 else { return }
    buffers.append(buffer)
    count += buffer.readableBytes
  }

  /// At most `limit` bytes from the front, of one buffer.
  mutating func next(_ limit: Int) -> ByteBuffer? {
    guard first < buffers.count, let piece = buffers[first].readSlice(length: min(limit, buffers[first].readableBytes))
    else { return nil }
    count -= piece.readableBytes
    if buffers[first].readableBytes == 0 {
      first += 1
      if first == buffers.count || first > 64 {
        buffers.removeFirst(first)
        first = 0
      }
    }
    return piece
  }
}
