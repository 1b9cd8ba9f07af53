/// What must not be seen by accident: descriptions, debug output and string interpolation show that there is something, never
/// what. Two secrets are compared in the same time wherever they differ.
///
/// The wire and JSON forms of a record carry the text, for those who may have it; whoever shows a record to others redacts it
/// first (`Secret.hidden`).
public struct Secret: Sendable, FieldValue {
  /// What readers without the right to it see instead.
  public static let hidden = Secret("<hidden>")

  private let text: String

  public init(_ text: String = "") { self.text = text }

  /// The text itself. Only for sending it to its owner, storing it, or handing it on as the credential it is.
  public var revealed: String { text }

  public var isEmpty: Bool { text.isEmpty }

  public static func == (a: Secret, b: Secret) -> Bool {
    var difference: UInt8 = 0
    let count = a.text.utf8.count
    guard count == b.text.utf8.count else { return false }
    let same: Void? = a.text.utf8.withContiguousStorageIfAvailable { left in
      b.text.utf8.withContiguousStorageIfAvailable { right in
        for index in 0..<count { difference |= left[index] ^ right[index] }
      }
    }.flatMap { $0 }
    if same == nil { for (left, right) in zip(a.text.utf8, b.text.utf8) { difference |= left ^ right } }
    return difference == 0
  }
}

extension Secret: Hashable {
  public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { text.isEmpty ? "" : "<secret>" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Secret {
  public var isEmptyValue: Bool { text.isEmpty }
  public func encodeJSON(_ writer: inout JSONWriter, _ options: FieldOptions) { writer.string(text) }
  public func encode(_ writer: inout MessagePackWriter) { writer.string(text) }
  public init(from reader: inout MessagePackReader) throws(MessagePackError) { self.init(try reader.string()) }
  public init(from value: Dynamic, _ context: DecodingContext) throws(DecodingError) {
    self.init(try String(from: value, context))
  }
  /// Filters cannot be used to guess it.
  public var selected: Selected { .absent }
  public static var shape: Shape { .hidden }
}
