/// # HCL
///
/// The language that people write for an agent, HCL version 1 and JSON, as a tree with positions. The room owns the two
/// grammars, their limits and the texts of their errors. It must not know what any document means.

/// HCL, version 1: the language of agent configuration files, service definitions, configuration entries and ACL rules.
///
/// `HCL.parse` turns bytes into an `HCLObject`: entries in the order of the text, with positions, repeated keys kept
/// apart. JSON documents give the same tree. What the entries mean is decided by the reader of the tree; those that do
/// not care about labels and positions take the plain form (`HCLObject.plain`).
public enum HCL {
  /// What a document may cost; a document beyond these limits is refused instead of being parsed.
  public struct Limits: Sendable, Equatable {
    /// Bytes of the document.
    public var size: Int
    /// Levels of objects and lists within each other.
    public var depth: Int

    public init(size: Int = 16 << 20, depth: Int = 128) {
      self.size = size
      self.depth = depth
    }
  }

  /// Parses an HCL document; one that starts with `{` is read as JSON.
  public static func parse(_ bytes: [UInt8], limits: Limits = Limits()) throws(HCLError) -> HCLObject {
    try check(bytes, limits)
    if firstSignificantByte(bytes) == UInt8(ascii: "{") { return try parseJSON(bytes, limits: limits) }
    var parser = HCLParser(bytes, depthLimit: limits.depth)
    return try parser.document()
  }

  /// Parses an HCL (or JSON) document.
  public static func parse(_ text: String, limits: Limits = Limits()) throws(HCLError) -> HCLObject {
    try parse(Array(text.utf8), limits: limits)
  }

  /// Parses a JSON document whose top is an object. A document without any content is an empty object.
  public static func parseJSON(_ bytes: [UInt8], limits: Limits = Limits()) throws(HCLError) -> HCLObject {
    try check(bytes, limits)
    if firstSignificantByte(bytes) == nil { return HCLObject(entries: [], position: .start) }
    var parser = JSONDocumentParser(bytes, depthLimit: limits.depth)
    return try parser.document()
  }

  /// A whole number as documents write it: decimal, hexadecimal (`0x1F`) or octal (`017`); nil for any other text.
  public static func integer(_ text: String) -> Int64? { HCLScanner.integer(text) }

  private static func check(_ bytes: [UInt8], _ limits: Limits) throws(HCLError) {
    guard bytes.count <= limits.size else {
      throw HCLError(.tooLarge(limit: limits.size), at: .start, language: .hcl)
    }
  }

  private static func firstSignificantByte(_ bytes: [UInt8]) -> UInt8? {
    bytes.dropFirst(byteOrderMarkLength(bytes)).first { !$0.isWhitespace }
  }

  /// Length of a UTF-8 byte order mark at the start: 3 or 0.
  static func byteOrderMarkLength(_ bytes: [UInt8]) -> Int {
    bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }
}

/// A place in a document. Lines and columns count from 1; columns count characters, not bytes.
public struct HCLPosition: Sendable, Equatable, CustomStringConvertible {
  public var line: Int
  public var column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  public static let start = HCLPosition(line: 1, column: 1)

  public var description: String { "\(line):\(column)" }
}

/// The entries between two braces, or of a whole document, in the order of the text.
public struct HCLObject: Sendable, Equatable {
  public var entries: [HCLEntry]
  public var position: HCLPosition

  public init(entries: [HCLEntry], position: HCLPosition = .start) {
    self.entries = entries
    self.position = position
  }

  /// All entries with this key, in order; a repeated key is a list for most readers.
  public func entries(named key: String) -> [HCLEntry] { entries.filter { $0.key == key } }
}

/// `key = value`, `key { … }` or `key "label" { … }`.
public struct HCLEntry: Sendable, Equatable {
  public var key: String
  /// The quoted or bare words between the key and the brace of a block.
  public var labels: [String]
  public var value: HCLValue
  /// Where the key stands.
  public var position: HCLPosition

  public init(key: String, labels: [String] = [], value: HCLValue, position: HCLPosition) {
    self.key = key
    self.labels = labels
    self.value = value
    self.position = position
  }
}

/// A value and where it starts.
public struct HCLValue: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// Only JSON has it.
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case list([HCLValue])
    case object(HCLObject)
  }

  public var kind: Kind
  public var position: HCLPosition

  public init(_ kind: Kind, at position: HCLPosition = .start) {
    self.kind = kind
    self.position = position
  }
}

extension UInt8 {
  var isWhitespace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
  var isDecimalDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

  /// The value of a hexadecimal digit, nil for anything else.
  var hexadecimalDigit: UInt32? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A")) + 10
    default: nil
    }
  }
}
