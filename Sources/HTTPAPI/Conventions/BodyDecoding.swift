import Model
import NIOCore

/// Bodies as records.
extension Request {
  /// The record in the body.
  ///
  /// - Throws: 400 with `Request decode failed: …` in the words of Go's decoder.
  func decode<Value: Record>(
    _ type: Value.Type, _ context: DecodingContext = DecodingContext(.api, refusesUnknown: true)
  ) throws(HTTPError) -> Value {
    try decode(try json(), context)
  }

  func decode<Value: Record>(_ value: Dynamic, _ context: DecodingContext) throws(HTTPError) -> Value {
    do throws(DecodingError) {
      return try Value(from: value, context)
    } catch {
      throw .badRequest("Request decode failed: \(error.apiText(Value.schema.name))")
    }
  }

  /// The first JSON value of the body; what follows is ignored, as a stream decoder does.
  ///
  /// - Parameter failure: what the text of an error begins with.
  func json(failure: String = "Request decode failed: ") throws(HTTPError) -> Dynamic {
    let result = body.withUnsafeReadableBytes { bytes -> Result<Dynamic, JSONError> in
      do throws(JSONError) { return .success(try Dynamic(firstJSON: bytes)) } catch { return .failure(error) }
    }
    switch result {
    case .success(let value): return value
    case .failure(let error): throw .badRequest(failure + streamText(error))
    }
  }

  /// A stream that ends before a value begins is at its end; inside a value, it ends unexpectedly.
  func streamText(_ error: JSONError) -> String {
    guard error == .unexpectedEnd else { return error.description }
    let isBlank = body.readableBytesView.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    return isBlank ? "EOF" : "unexpected EOF"
  }
}

extension DecodingError {
  /// The reference decodes bodies into types without a name, so that paths begin with a dot.
  func apiText(_ type: String) -> String {
    guard case .mismatch(let path, let found, let expected) = self else { return description }
    if path.isEmpty { return "json: cannot unmarshal \(found) into Go value of type \(type)" }
    return "json: cannot unmarshal \(found) into Go struct field .\(path) of type \(expected)"
  }
}
