/// Takes apart the stream of a program in a container: Docker sends standard output and error as frames of a kind, three zero
/// bytes, a length in four bytes (most significant first) and the data.
struct DockerStream: Sendable {
  private static let headerSize = 8
  private var header: [UInt8] = []
  /// Bytes still to come of the present frame.
  private var remaining = 0

  init() {}

  /// The data in the next bytes of the stream, without the headers, wherever these are cut.
  mutating func feed(_ bytes: some Collection<UInt8>) -> [UInt8] {
    var rest = Array(bytes)[...]
    var data: [UInt8] = []
    while !rest.isEmpty {
      if remaining > 0 {
        let part = rest.prefix(remaining)
        data += part
        remaining -= part.count
        rest = rest.dropFirst(part.count)
      } else {
        let part = rest.prefix(Self.headerSize - header.count)
        header += part
        rest = rest.dropFirst(part.count)
        if header.count == Self.headerSize {
          remaining = header[4...].reduce(0) { $0 << 8 | Int($1) }
          header = []
        }
      }
    }
    return data
  }
}
