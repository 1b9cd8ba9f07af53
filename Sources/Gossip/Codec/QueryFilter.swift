import Model

/// Whom a query is for.
public enum QueryFilter: Sendable, Equatable {
  /// Members of these names.
  case nodes([String])
  /// Members whose tag matches a regular expression somewhere; a missing tag is empty.
  case tag(name: String, expression: String)

  private struct TagFilter: Record {
    var tag = ""
    var expression = ""

    static let schema = Schema<TagFilter>("filterTag") {
      $0.field("Tag", \.tag)
      $0.field("Expr", \.expression)
    }
  }

  var encoded: [UInt8] {
    var writer = MessagePackWriter()
    switch self {
    case .nodes(let names):
      writer.arrayHeader(names.count)
      for name in names { writer.string(name) }
      return [0] + writer.bytes
    case .tag(let name, let expression):
      TagFilter(tag: name, expression: expression).encode(&writer)
      return [1] + writer.bytes
    }
  }

  init(_ bytes: [UInt8]) throws(GossipError) {
    self = try bytes.withBytes { (bytes) throws(GossipError) in
      var reader = MessagePackReader(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
      switch bytes.first {
      case 0:
        do throws(MessagePackError) {
          return .nodes(try [String](from: &reader))
        } catch {
          throw .malformed(message: "filter", error)
        }
      case 1:
        let filter: TagFilter = try MessageDecoder.record(&reader)
        return .tag(name: filter.tag, expression: filter.expression)
      case .some(let type): throw .unknownType(type)
      case nil: throw .truncated(part: "filter")
      }
    }
  }

  /// An expression that cannot be read matches nobody.
  func admits(name: String, tags: [String: String]) -> Bool {
    switch self {
    case .nodes(let names): return names.contains(name)
    case .tag(let tag, let expression):
      guard let pattern = try? Pattern(expression) else { return false }
      return pattern.matches(tags[tag] ?? "")
    }
  }
}
