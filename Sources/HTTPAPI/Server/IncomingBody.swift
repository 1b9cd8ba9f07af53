import NIOCore
import Server

/// The body of a request as it comes in.
final class IncomingBody {
  enum Progress {
    case incomplete
    case complete(ByteBuffer)
    /// Everything came and is on disk.
    case stored(SpoolFile)
    /// It could not be written to disk.
    case failed(String)
    /// More than allowed; `size` bytes came or were announced.
    case tooLarge(size: Int)
  }

  let request: PendingRequest
  private let framing: RequestHead.Body
  private var collected = ByteBuffer()
  private var decoder = ChunkedDecoder()
  /// Where the body goes that is too large for memory.
  private let spool: BodySpool?

  /// - Parameter spool: nil keeps the body in memory.
  init(_ request: PendingRequest, framing: RequestHead.Body, spool: BodySpool? = nil) {
    self.request = request
    self.framing = framing
    self.spool = spool
  }

  /// Whether the client has to wait for the disk.
  var isCongested: Bool { spool?.isCongested ?? false }

  func take(from input: inout ByteBuffer?) throws(RequestError) -> Progress {
    if let spool { return try store(from: &input, spool) }
    switch framing {
    case .none: return .complete(ByteBuffer())
    case .length(let length): return take(length, from: &input)
    case .chunked: return try takeChunks(from: &input)
    }
  }

  private func take(_ length: Int, from input: inout ByteBuffer?) -> Progress {
    if collected.readableBytes == 0, let whole = input?.readSlice(length: length) { return .complete(whole) }
    let missing = length - collected.readableBytes
    let here = min(missing, input?.readableBytes ?? 0)
    if var part = input?.readSlice(length: here) { collected.writeBuffer(&part) }
    return here == missing ? .complete(collected) : .incomplete
  }

  private func takeChunks(from input: inout ByteBuffer?) throws(RequestError) -> Progress {
    let result = input?.withUnsafeReadableBytes { bytes -> Result<Int, RequestError> in
      do throws(RequestError) {
        return .success(try decoder.feed(bytes) { collected.writeBytes($0) })
      } catch {
        return .failure(error)
      }
    }
    let used = try result?.get() ?? 0
    input?.moveReaderIndex(forwardBy: used)
    if collected.readableBytes > request.bodyLimit { return .tooLarge(size: collected.readableBytes) }
    return decoder.isDone ? .complete(collected) : .incomplete
  }
}

extension IncomingBody {
  private func store(from input: inout ByteBuffer?, _ spool: BodySpool) throws(RequestError) -> Progress {
    let isWhole: Bool
    switch framing {
    case .none: isWhole = true
    case .length(let length):
      let here = min(length - spool.size, input?.readableBytes ?? 0)
      if let part = input?.readSlice(length: here) { spool.write(part) }
      isWhole = spool.size == length
    case .chunked:
      if case .tooLarge(let size) = try takeChunks(from: &input) { return .tooLarge(size: size) }
      spool.write(collected)
      collected = ByteBuffer()
      if spool.size > request.bodyLimit { return .tooLarge(size: spool.size) }
      isWhole = decoder.isDone
    }
    if let failure = spool.failure { return .failed(failure) }
    return isWhole && spool.isSettled ? .stored(spool.finish()) : .incomplete
  }
}

/// The body of a request that was answered without it.
final class SkippedBody {
  private var left: Int
  private let isChunked: Bool
  private var decoder = ChunkedDecoder()

  init(framing: RequestHead.Body) {
    if case .length(let length) = framing { left = length } else { left = 0 }
    isChunked = framing == .chunked
  }

  /// Whether the end of the body was reached.
  func skip(_ input: inout ByteBuffer?) throws(RequestError) -> Bool {
    if isChunked {
      let result = input?.withUnsafeReadableBytes { bytes -> Result<Int, RequestError> in
        do throws(RequestError) { return .success(try decoder.feed(bytes) { _ in }) } catch { return .failure(error) }
      }
      input?.moveReaderIndex(forwardBy: try result?.get() ?? 0)
      return decoder.isDone
    }
    let here = min(left, input?.readableBytes ?? 0)
    input?.moveReaderIndex(forwardBy: here)
    left -= here
    return left == 0
  }
}
