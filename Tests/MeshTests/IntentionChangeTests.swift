import Mesh
import Model
import Testing

@Suite struct IntentionChangeTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let op: IntentionOp
    var id = ""
    /// Of the mutation: destination and source.
    var ends = ("db", "web")
    var value: SourceIntention?
    /// The sources that are there; nil for no entry.
    let before: [SourceIntention]?
    let after: After

    init(
      _ description: String, _ op: IntentionOp, id: String = "", ends: (String, String) = ("db", "web"),
      value: SourceIntention? = nil, before: [SourceIntention]?, _ after: After
    ) {
      (testDescription, self.op, self.id, self.ends, self.value) = (description, op, id, ends, value)
      (self.before, self.after) = (before, after)
    }
  }

  enum After: Sendable {
    case sources([SourceIntention])
    case deleted, nothing
    case refused(String)
  }

  private static func source(_ name: String, _ action: String = "allow", peer: String = "", id: String = "")
    -> SourceIntention
  {
    IntentionTests.source(name, action, peer: peer, id: id)
  }

  static let cases: [Case] = [
    // By the ends.
    Case("the first makes the entry", .upsert, value: source("web"), before: nil, .sources([source("web")])),
    Case(
      "a new source is added behind the others", .upsert, value: source("web"), before: [source("api")],
      .sources([source("api"), source("web")])),
    Case(
      "a source that is there is replaced in its place", .upsert, value: source("web", "deny"),
      before: [source("web"), source("api")], .sources([source("web", "deny"), source("api")])),
    Case(
      "the same name at a peer is another source", .upsert, value: source("web", "deny"),
      before: [source("web", peer: "east")], .sources([source("web", peer: "east"), source("web", "deny")])),
    Case(
      "an update without id goes by the ends", .update, value: source("web", "deny"), before: [source("web")],
      .sources([source("web", "deny")])),
    Case(
      "creating what is there leaves two, for the rules to refuse", .create, value: source("web", "deny"),
      before: [source("web")], .sources([source("web"), source("web", "deny")])),
    Case(
      "a deletion leaves the others", .delete, before: [source("api"), source("web")], .sources([source("api")])),
    Case("the last source takes the entry with it", .delete, before: [source("web")], .deleted),
    Case("a source that is not there", .delete, before: [source("api")], .nothing),
    Case("an entry that is not there", .delete, before: nil, .nothing),
    Case(
      "a deletion by name leaves the same name at a peer", .delete, before: [source("web", peer: "east")], .nothing),
    Case("a wildcard is a name like others", .delete, ends: ("db", "*"), before: [source("web")], .nothing),
    // By id.
    Case(
      "the intention with the id is replaced, also by one of another name", .update, id: "2",
      value: source("zz", "deny", id: "2"), before: [source("web", id: "1"), source("api", id: "2")],
      .sources([source("web", id: "1"), source("zz", "deny", id: "2")])),
    Case(
      "the names of the ends do not count beside an id", .delete, id: "2", ends: ("", ""),
      before: [source("web", id: "1"), source("api", id: "2")], .sources([source("web", id: "1")])),
    Case("the last one, by its id", .delete, id: "1", before: [source("web", id: "1")], .deleted),
    Case("an id that does not exist is not deleted", .delete, id: "3", before: nil, .nothing),
    Case(
      "an id that does not exist cannot be changed", .update, id: "3", value: source("web"), before: nil,
      .refused("Cannot modify non-existent intention: '3'")),
    Case(
      "nor can one that is gone from its entry", .update, id: "3", value: source("web"),
      before: [source("web", id: "1")], .refused("Cannot modify non-existent intention: '3'")),
    // What makes no sense.
    Case("nothing to create", .create, before: nil, .refused("Intention mutation has no value")),
    Case("nothing to upsert", .upsert, before: [source("web")], .refused("Intention mutation has no value")),
    Case("nothing to update", .update, id: "1", before: nil, .refused("Intention mutation has no value")),
    Case("all at once", .deleteAll, before: nil, .refused("delete-all is not a change of one intention")),
  ]

  @Test("a change of one intention makes of its entry", arguments: cases)
  func outcome(_ row: Case) throws {
    var mutation = IntentionMutation()
    mutation.id = row.id
    mutation.destination = ServiceName(row.ends.0)
    mutation.source = ServiceName(row.ends.1)
    mutation.value = row.value
    var entry = row.before.map { sources in
      var entry = ServiceIntentions(name: "db")
      entry.sources = sources
      entry.common.meta["kept"] = "yes"
      (entry.common.createIndex, entry.common.modifyIndex) = (7, 8)
      return entry
    }
    switch row.after {
    case .sources(let sources):
      if entry == nil { entry = ServiceIntentions(name: "db") }
      let before = row.before == nil ? nil : entry
      let outcome = try IntentionChange.outcome(row.op, mutation, entry: before)
      entry?.sources = sources
      #expect(try outcome == .write(#require(entry)))
    case .deleted:
      #expect(try IntentionChange.outcome(row.op, mutation, entry: entry) == .delete(destination: "db"))
    case .nothing: #expect(try IntentionChange.outcome(row.op, mutation, entry: entry) == .nothing)
    case .refused(let text):
      #expect(throws: ConfigEntryError(text)) { try IntentionChange.outcome(row.op, mutation, entry: entry) }
    }
  }
}
