/// Keeps the last bytes of an output of any length.
struct TailBuffer: Sendable {
  let limit: Int
  /// All bytes that were appended.
  private(set) var total = 0
  private var ring: [UInt8] = []
  /// Where the oldest byte is, once the ring is full.
  private var start = 0

  /// - Parameter limit: bytes; at least 1.
  init(limit: Int) { self.limit = max(1, limit) }

  mutating func append(_ bytes: some Collection<UInt8>) {
    total = total &+ bytes.count
    let news = bytes.suffix(limit)
    let room = limit - ring.count
    ring.append(contentsOf: news.prefix(room))
    for byte in news.dropFirst(room) {
      ring[start] = byte
      start = start + 1 == limit ? 0 : start + 1
    }
  }

  /// What is kept, oldest byte first.
  var bytes: [UInt8] { start == 0 ? ring : Array(ring[start...] + ring[..<start]) }

  /// What is kept, with broken characters replaced.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// What is kept, after a line that says how much was lost, if any was.
  var textWithLoss: String {
    total > limit ? "Captured \(limit) of \(total) bytes\n...\n\(text)" : text
  }
}

/// The beginning of what an application said of itself, at most `limit` bytes.
func truncatedReport(_ output: String, limit: Int) -> String {
  let bytes = output.utf8
  guard bytes.count > limit else { return output }
  return String(decoding: bytes.prefix(limit), as: UTF8.self) + " ... (captured \(limit) of \(bytes.count) bytes)"
}
