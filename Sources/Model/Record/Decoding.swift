#if canImport(Glibc)
  import Glibc
#endif

/// Why input did not fit a record.
public enum DecodingError: Error, Equatable, CustomStringConvertible {
  /// The value at `path` has the wrong type. `found` and `expected` are the words of the JSON and record worlds.
  case mismatch(path: String, found: String, expected: String)
  /// The record has no field of that name.
  case unknownField(path: String, name: String)
  /// The text at `path` is not a value of its type (a duration, base64, …).
  case invalid(path: String, reason: String)

  public var description: String {
    switch self {
    case .mismatch(let path, let found, let expected):
      "json: cannot unmarshal \(found) into Go struct field \(path) of type \(expected)"
    case .unknownField(_, let name): "json: unknown field \"\(name)\""
    case .invalid(_, let reason): reason
    }
  }
}

/// How input is read, and where in it we are.
public struct DecodingContext: Sendable {
  public enum KeyStyle: Sendable {
    /// The API: names match without regard to case.
    case api
    /// The agent's registration calls: underscores do not count either (`service_id`), but values have to have their types.
    case registration
    /// Configuration files: as `registration`, one value stands for a list of one, and numbers and booleans may be written
    /// as text.
    case configuration
  }

  public var style: KeyStyle
  /// Whether names that the record does not have are an error; otherwise they are ignored.
  public var refusesUnknown: Bool
  /// Whether durations may be written as text; integers are nanoseconds.
  public var path: String

  public init(_ style: KeyStyle = .api, refusesUnknown: Bool = false, path: String = "") {
    self.style = style
    self.refusesUnknown = refusesUnknown
    self.path = path
  }

  func member(_ name: String) -> DecodingContext {
    var inner = self
    inner.path = path.isEmpty ? name : "\(path).\(name)"
    return inner
  }

  func element(_ index: Int) -> DecodingContext {
    guard style == .configuration else { return self }
    var inner = self
    inner.path = "\(path)[\(index)]"
    return inner
  }

  func mismatch(_ value: Dynamic, expected: String) -> DecodingError {
    .mismatch(path: path, found: value.jsonTypeName, expected: expected)
  }
}

extension Field {
  /// Why `value` cannot be this field's; nil if it can.
  public func problem(with value: Dynamic, _ context: DecodingContext) -> DecodingError? {
    do throws(DecodingError) {
      _ = try type.init(from: value, context)
      return nil
    } catch {
      return error
    }
  }

  /// Whether the field holds configuration without a fixed shape.
  public var isOpaque: Bool { type is DynamicMap.Type }
}

extension Record {
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self.init()
    switch value.unwrappedBlock(context) {
    case .null: return
    case .object(let members): try assign(members, context)
    default: throw context.mismatch(value, expected: Self.schema.name)
    }
  }

  /// Sets the fields that `members` names and leaves the others as they are.
  ///
  /// - Throws: `DecodingError` at the first member that does not fit; the record may then be partly set.
  public mutating func assign(_ members: DynamicObject, _ context: DecodingContext) throws(DecodingError) {
    let schema = Self.schema
    let result: Result<Void, DecodingError> = withUnsafeMutablePointer(to: &self) { record in
      let base = UnsafeMutableRawPointer(record)
      for (key, value) in members {
        guard let index = schema.index(of: key, style: context.style) else {
          if context.refusesUnknown { return .failure(.unknownField(path: context.path, name: key)) }
          continue
        }
        let field = schema.fields[index]
        if field.options.contains(.readOnly) { continue }
        do throws(DecodingError) {
          try field.operations.decode(base + field.offset, value, context.member(field.name))
        } catch {
          return .failure(error)
        }
      }
      return .success(())
    }
    try result.get()
  }

  /// Decodes JSON text.
  ///
  /// - Throws: `JSONError` for text that is not JSON, `DecodingError` for JSON that does not fit.
  public init(json: some Sequence<UInt8>, _ context: DecodingContext = DecodingContext()) throws {
    try self.init(from: Dynamic(json: Array(json)), context)
  }

  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    self.init()
    guard let count = try reader.mapHeader() else { return }
    let schema = Self.schema
    let result: Result<Void, MessagePackError> = withUnsafeMutablePointer(to: &self) { record in
      do throws(MessagePackError) {
        try reader.nested { (reader) throws(MessagePackError) in
          try schema.decode(UnsafeMutableRawPointer(record), count: count, &reader)
        }
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// Decodes one MessagePack value that fills `bytes`.
  public init(messagePack bytes: some Collection<UInt8>) throws(MessagePackError) {
    let result: Result<Self, MessagePackError> = Array(bytes).withUnsafeBytes { buffer in
      do throws(MessagePackError) {
        var reader = MessagePackReader(buffer)
        return .success(try Self(from: &reader))
      } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }
}

extension Schema {
  /// Keys usually come in our own order: the search starts where the last one was found.
  func decode(
    _ base: UnsafeMutableRawPointer, count: Int, _ reader: inout MessagePackReader
  ) throws(MessagePackError) {
    let result: Result<Void, MessagePackError> = fields.withUnsafeBufferPointer { fields in
      do throws(MessagePackError) {
        var next = 0
        for _ in 0..<count {
          let key = try reader.rawString()
          guard let found = place(of: key, in: fields, from: next) else {
            try reader.skip()
            continue
          }
          next = found + 1
          try fields[wireOrder[found]].decode(base, &reader)
        }
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  /// The place in `wireOrder` of the field with that name, looked for from `start` on and then from the beginning.
  private func place(of key: UnsafeRawBufferPointer, in fields: UnsafeBufferPointer<Field>, from start: Int) -> Int? {
    for step in 0..<wireOrder.count {
      let candidate = (start + step) % wireOrder.count
      if fields[wireOrder[candidate]].isNamed(key) { return candidate }
    }
    return nil
  }
}

extension Field {
  /// Whether `key` is this field's name on the wire: `wireKey` ends with it, behind a header of at most three bytes.
  func isNamed(_ key: UnsafeRawBufferPointer) -> Bool {
    wireKey.withUnsafeBytes { encoded in
      let header = encoded.count - key.count
      guard header == (key.count < 32 ? 1 : 3) else { return false }
      guard let name = encoded.baseAddress, let other = key.baseAddress else { return key.isEmpty }
      return memcmp(name + header, other, key.count) == 0
    }
  }

  func decode(_ base: UnsafeMutableRawPointer, _ reader: inout MessagePackReader) throws(MessagePackError) {
    try operations.decode(base + offset, &reader)
  }
}
