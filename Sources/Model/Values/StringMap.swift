/// A small map from text to text, sorted by the bytes of its keys: metadata, tagged addresses. A third of the memory of a
/// dictionary at the sizes that occur, and in the order in which JSON shows it.
public struct StringMap: Sendable, Hashable, Sequence {
  public struct Entry: Sendable, Hashable {
    public let key: String
    public let value: String
  }

  /// Nil when the map was never given, which JSON shows as `null` and MessagePack as nil.
  private var storage: [Entry]?

  public private(set) var entries: [Entry] {
    get { storage ?? [] }
    set { storage = newValue }
  }

  public init() {}

  public init(_ pairs: some Sequence<(key: String, value: String)>) {
    storage = []
    for (key, value) in pairs { self[key] = value }
  }

  public var isEmpty: Bool { entries.isEmpty }
  public var count: Int { entries.count }
  public var keys: [String] { entries.map(\.key) }
  public func makeIterator() -> IndexingIterator<[Entry]> { entries.makeIterator() }

  public subscript(key: String) -> String? {
    get {
      let place = place(of: key)
      return place < entries.count && entries[place].key == key ? entries[place].value : nil
    }
    set {
      let place = place(of: key)
      let exists = place < entries.count && entries[place].key == key
      if let newValue {
        let entry = Entry(key: key, value: newValue)
        if exists { entries[place] = entry } else { entries.insert(entry, at: place) }
      } else if exists {
        entries.remove(at: place)
      }
    }
  }

  /// The first index whose key is not below `key`.
  private func place(of key: String) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if bytewiseLess(entries[middle].key, key) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// A map that was never given equals one without entries.
  public static func == (a: StringMap, b: StringMap) -> Bool { a.entries == b.entries }
  public func hash(into hasher: inout Hasher) { hasher.combine(entries) }

  /// Whether the map was never given.
  public var isNil: Bool { storage == nil }

  /// The same map, empty instead of never given.
  public var present: StringMap { isNil ? [:] : self }

  /// Whether every entry of `other` is here, too.
  public func contains(all other: StringMap) -> Bool { other.allSatisfy { self[$0.key] == $0.value } }
}

extension StringMap: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { (key: $0.0, value: $0.1) })
  }
}

extension StringMap: FieldValue {
  public var isEmptyValue: Bool { entries.isEmpty }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) {
    if storage == nil || (isEmpty && options.contains(.nullWhenEmpty)) { return writer.null() }
    writer.beginObject()
    for entry in entries {
      writer.member(entry.key)
      writer.string(entry.value)
    }
    writer.endObject()
  }
  public func encode(_ writer: inout MessagePackWriter) {
    if isNil { return writer.null() }
    writer.mapHeader(entries.count)
    for entry in entries {
      writer.string(entry.key)
      writer.string(entry.value)
    }
  }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) {
    guard let count = try reader.mapHeader() else { return }
    storage = []
    for _ in 0..<count {
      let key = try reader.string()
      self[key] = try reader.string()
    }
  }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    switch value.unwrappedBlock(context) {
    case .null: return
    case .object(let members):
      storage = []
      for (key, value) in members { self[key] = try String(from: value, context.member(key)) }
    default: throw context.mismatch(value, expected: "map[string]string")
    }
  }
  public var selected: Selected { .map(self) }
  public static var shape: Shape { .map }
}
