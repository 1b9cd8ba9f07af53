import CNIOExtrasZlib

/// A zlib stream at an address that does not change: the library keeps it.
private struct ZlibStream: ~Copyable {
  let pointer: UnsafeMutablePointer<cnioextras_z_stream>
  private let end: (UnsafeMutablePointer<cnioextras_z_stream>) -> Void

  init(end: @escaping (UnsafeMutablePointer<cnioextras_z_stream>) -> Void) {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: cnioextras_z_stream())
    self.end = end
  }

  deinit {
    end(pointer)
    pointer.deinitialize(count: 1)
    pointer.deallocate()
  }

  /// How much is handed to the library at once; its counters have 32 bits.
  static let pieceLimit = 1 << 30
}

/// Compresses a stream (RFC 1952).
final class GzipCompressor {
  private let stream = ZlibStream { _ = cnioextras_z_deflateEnd($0) }
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)

  /// - Throws: `compression` if the library has no memory.
  init() throws(SnapshotArchiveError) {
    // 15 + 16: the largest window, in gzip's frame. Higher levels take four times as long for a few hundredths of the size.
    let status = CNIOExtrasZlib_deflateInit2(
      stream.pointer, 2, CNIOEXTRAS_Z_DEFLATED, 15 + 16, 8, CNIOEXTRAS_Z_DEFAULT_STRATEGY)
    if status != CNIOEXTRAS_Z_OK { throw .compression("cannot compress: \(status)") }
  }

  /// Compresses the next bytes of the stream and appends what comes of them to `out`.
  func compress(_ bytes: [UInt8], into out: inout [UInt8]) throws(SnapshotArchiveError) {
    try run(bytes, CNIOEXTRAS_Z_NO_FLUSH, into: &out)
  }

  func finish(into out: inout [UInt8]) throws(SnapshotArchiveError) { try run([], CNIOEXTRAS_Z_FINISH, into: &out) }

  private func run(_ bytes: [UInt8], _ flush: Int32, into out: inout [UInt8]) throws(SnapshotArchiveError) {
    let status = bytes.withUnsafeBytes { input -> Int32 in
      let stream = stream.pointer
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(clamping: input.count)
      while true {
        let (status, count) = buffer.withUnsafeMutableBufferPointer { output in
          stream.pointee.next_out = output.baseAddress
          stream.pointee.avail_out = UInt32(clamping: output.count)
          let status = cnioextras_z_deflate(stream, flush)
          return (status, output.count - Int(stream.pointee.avail_out))
        }
        out += buffer[..<count]
        if status != CNIOEXTRAS_Z_OK || count < buffer.count { return status }
      }
    }
    let isFine = [CNIOEXTRAS_Z_OK, CNIOEXTRAS_Z_STREAM_END, CNIOEXTRAS_Z_BUF_ERROR].contains(status)
    guard isFine, bytes.count <= ZlibStream.pieceLimit else { throw .compression("cannot compress: \(status)") }
  }
}

/// Takes a stream apart that was compressed as one gzip member.
final class GzipDecompressor {
  private let stream = ZlibStream { _ = cnioextras_z_inflateEnd($0) }
  private var buffer = [UInt8](repeating: 0, count: 64 << 10)
  private var hasBegun = false
  /// Whether the last byte of the stream was seen.
  private(set) var isFinished = false

  /// - Throws: `compression` if the library has no memory.
  init() throws(SnapshotArchiveError) {
    let status = CNIOExtrasZlib_inflateInit2(stream.pointer, 15 + 16)
    if status != CNIOEXTRAS_Z_OK { throw .compression("cannot decompress: \(status)") }
  }

  /// Hands what the next compressed bytes stand for to `sink`, piece by piece.
  ///
  /// - Throws: `notCompressed`, `compression`, and what `sink` throws.
  func decompress(
    _ bytes: UnsafeRawBufferPointer, _ sink: (UnsafeRawBufferPointer) throws(SnapshotArchiveError) -> Void
  ) throws(SnapshotArchiveError) {
    var rest = bytes
    while !rest.isEmpty {
      if isFinished { throw .compression("there is data behind the end of the archive") }
      let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(ZlibStream.pieceLimit))
      let used = try inflate(piece, sink)
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(used))
    }
  }

  private func inflate(
    _ bytes: UnsafeRawBufferPointer, _ sink: (UnsafeRawBufferPointer) throws(SnapshotArchiveError) -> Void
  ) throws(SnapshotArchiveError) -> Int {
    let stream = stream.pointer
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(bytes.count)
    while true {
      let (status, count) = buffer.withUnsafeMutableBufferPointer { output in
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(clamping: output.count)
        let status = cnioextras_z_inflate(stream, CNIOEXTRAS_Z_NO_FLUSH)
        return (status, output.count - Int(stream.pointee.avail_out))
      }
      if count > 0 {
        hasBegun = true
        let result: Result<Void, SnapshotArchiveError> = buffer.withUnsafeBytes { output in
          do throws(SnapshotArchiveError) {
            return .success(try sink(UnsafeRawBufferPointer(rebasing: output[..<count])))
          } catch {
            return .failure(error)
          }
        }
        try result.get()
      }
      switch status {
      case CNIOEXTRAS_Z_STREAM_END:
        isFinished = true
        return bytes.count - Int(stream.pointee.avail_in)
      case CNIOEXTRAS_Z_OK, CNIOEXTRAS_Z_BUF_ERROR:
        // An output that was filled may not be all.
        if count < buffer.count { return bytes.count }
      case CNIOEXTRAS_Z_DATA_ERROR where !hasBegun && stream.pointee.total_in <= 10: throw .notCompressed
      default: throw .compression("flate: corrupt input before offset \(stream.pointee.total_in)")
      }
    }
  }
}
