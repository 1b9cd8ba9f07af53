import Testing
import Mesh
import Model

/// A body and why it is refused.
struct Refusal: CustomTestStringConvertible {
  var body: String
  var text: String

  init(_ body: String, _ text: String) {
    self.body = body
    self.text = text
  }

  var testDescription: String { text }
}

/// A body and what is stored for it, but for what only servers say.
struct Normalization: CustomTestStringConvertible {
  var body: String
  var stored: String

  init(_ body: String, _ stored: String) {
    self.body = body
    self.stored = stored
  }

  var testDescription: String { body }
}

func json(_ text: String) throws -> Dynamic { try Dynamic(json: Array(text.utf8)) }

/// Reads a body and prepares the entry: why that fails, nil if it does not.
func preparation(of body: String) -> String? {
  do {
    _ = try ConfigEntry(body: try json(body)).prepared()
    return nil
  } catch {
    return "\(error)"
  }
}

/// What is stored for a body, members in the order in which the API shows them.
func stored(_ body: String) throws -> String {
  let entry = try ConfigEntry(body: try json(body)).prepared()
  var writer = JSONWriter()
  entry.encodeJSON(&writer)
  guard case .object(let members) = try Dynamic(json: writer.finish()) else { return "" }
  let servers: Set<String> = ["Hash", "CreateIndex", "ModifyIndex", "Status"]
  return flat(.object(DynamicObject(members.filter { !servers.contains($0.key) })))
}

/// The text without space between its parts.
func compact(_ text: String) throws -> String { flat(try json(text)) }

/// JSON whose members are in the order in which they were written.
private func flat(_ value: Dynamic) -> String {
  switch value {
  case .object(let members): "{" + members.map { "\($0.key): \(flat($0.value))" }.joined(separator: ", ") + "}"
  case .array(let elements): "[" + elements.map(flat).joined(separator: ", ") + "]"
  default: value.json
  }
}
