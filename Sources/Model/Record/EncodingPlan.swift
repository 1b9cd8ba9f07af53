/// What encoders walk instead of fields: the place of each field, its name as the format writes it, and the operations of its
/// type. A step holds nothing that could be retained, so that a walk over a record touches no reference count but those of
/// the record's own parts.
struct EncodingPlan: @unchecked Sendable {
  // Sendable: written once, before anybody can see it, and never freed: plans belong to schemas, which last as long as the
  // process.
  private let first: UnsafeMutablePointer<Step>
  let count: Int

  struct Step {
    let offset: Int
    let options: FieldOptions
    /// The name as the format writes it.
    let key: UnsafeRawBufferPointer
    private let operations: Unmanaged<FieldOperations>

    init(_ field: Field, key: [UInt8]) {
      offset = field.offset
      options = field.options
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: key.count, alignment: 1)
      bytes.copyBytes(from: key)
      self.key = UnsafeRawBufferPointer(bytes)
      operations = .passRetained(field.operations)
    }

    @inline(__always)
    func isEmpty(_ record: UnsafeRawPointer) -> Bool {
      operations._withUnsafeGuaranteedRef { $0.isEmpty(record + offset) }
    }

    @inline(__always)
    func encodeJSON(_ record: UnsafeRawPointer, _ writer: inout JSONWriter, _ inherited: FieldOptions) {
      if options.contains(.omitEmpty), isEmpty(record) { return }
      writer.member(encodedKey: key)
      operations._withUnsafeGuaranteedRef { $0.encodeJSON(record + offset, &writer, options.union(inherited)) }
    }

    @inline(__always)
    func isOmittedOnWire(_ record: UnsafeRawPointer) -> Bool {
      options.contains(.omitEmptyOnWire) && isEmpty(record)
    }

    @inline(__always)
    func encode(_ record: UnsafeRawPointer, _ writer: inout MessagePackWriter) {
      if isOmittedOnWire(record) { return }
      writer.raw(key)
      operations._withUnsafeGuaranteedRef { $0.encode(record + offset, &writer) }
    }
  }

  init(_ steps: [Step]) {
    count = steps.count
    first = .allocate(capacity: max(steps.count, 1))
    first.initialize(from: steps, count: steps.count)
  }

  @inline(__always)
  func forEach(_ body: (UnsafePointer<Step>) -> Void) {
    for place in 0..<count { body(first + place) }
  }
}
