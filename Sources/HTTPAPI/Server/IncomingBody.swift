import NIOCore

/// The body of a request as it comes in.
final class IncomingBody {
  enum Progress {
    case incomplete
    case complete(ByteBuffer)
    /// More than allowed; `size` bytes came or were announced.
    case tooLarge(size: Int)
  }

  let request: PendingRequest
  private let framing: RequestHead.Body
  private var collected = ByteBuffer()
  private var decoder = ChunkedDecoder()

  init(_ request: PendingRequest, framing: RequestHead.Body) {
    self.request = request
    self.framing = framing
  }

  func take(from input: inout ByteBuffer?) throws(RequestError) -> Progress {
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
