import Model

/// Who signed a request, as AWS says (`sts:GetCallerIdentity`).
struct AWSCaller {
  let name: AWSResourceName
  /// The id of the role or user, which is never given to another one.
  let id: String

  init(xml: [UInt8]) throws(AuthenticationError) {
    let text = try XMLElements(xml)
    guard let arn = text.first("Arn"), let name = AWSResourceName(arn), let user = text.first("UserId") else {
      throw .provider("failed to decode sts:GetCallerIdentity response")
    }
    self.name = name
    // `ID:SESSION` for an assumed role.
    id = String(user.prefix { $0 != ":" })
  }
}

/// What AWS says of a role or user (`iam:GetRole`, `iam:GetUser`).
struct AWSEntity {
  let arn: String
  let id: String
  let path: String
  let tags: StringMap

  init(xml: [UInt8]) throws(AuthenticationError) {
    let text = try XMLElements(xml)
    guard let arn = text.first("Arn"), let id = text.first("RoleId") ?? text.first("UserId") else {
      throw .provider("failed to decode iam:GetRole or iam:GetUser response")
    }
    self.arn = arn
    self.id = id
    path = text.first("Path") ?? ""
    var tags = StringMap()
    for (key, value) in zip(text.all("Key"), text.all("Value")) { tags[key] = value }
    self.tags = tags
  }
}

/// The elements of an XML text that contain nothing but text, by name and in order: all that answers of AWS are read for.
struct XMLElements {
  static let sizeLimit = 1 << 20

  private var found: [(name: String, text: String)] = []

  /// - Throws: `.tooLarge`, `.provider` for bytes that are no UTF-8.
  init(_ bytes: [UInt8]) throws(AuthenticationError) {
    guard bytes.count <= Self.sizeLimit else { throw .tooLarge(what: "answer", limit: Self.sizeLimit) }
    var place = 0
    // The start tag that nothing but text has followed since.
    var open: (name: ArraySlice<UInt8>, textStart: Int)?
    while let start = bytes[place...].firstIndex(of: UInt8(ascii: "<")) {
      guard let end = bytes[start...].firstIndex(of: UInt8(ascii: ">")) else { break }
      let tag = bytes[(start + 1)..<end]
      if tag.first == UInt8(ascii: "/") {
        if let (name, textStart) = open, name.elementsEqual(tag.dropFirst()) {
          guard let text = String(validating: bytes[textStart..<start], as: UTF8.self) else {
            throw .provider("answer is not UTF-8")
          }
          found.append((String(decoding: name, as: UTF8.self), Self.unescaped(text)))
        }
        open = nil
      } else if tag.last == UInt8(ascii: "/") || tag.first == UInt8(ascii: "?") || tag.first == UInt8(ascii: "!") {
        open = nil
      } else {
        open = (tag.prefix { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }, end + 1)
      }
      place = end + 1
    }
  }

  func first(_ name: String) -> String? { found.first { $0.name == name }?.text }
  func all(_ name: String) -> [String] { found.filter { $0.name == name }.map(\.text) }

  private static func unescaped(_ text: String) -> String {
    guard text.contains("&") else { return text }
    return [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
      .reduce(text) { $0.replacing($1.0, with: $1.1) }
  }
}
