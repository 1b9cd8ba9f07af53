import Model
import NIOCore
import NIOEmbedded
import State
import Testing

@testable import HTTPAPI

@Suite("Answers that are written once")
struct AnswerMemoTests {
  private let resources = LoopResources(loop: EmbeddedEventLoop())

  private func row(_ name: String) -> Row<Node> {
    var node = Node()
    node.node = name
    return Row(node)
  }

  /// The text of the answer, and whether it was written for it.
  private func answer(
    _ rows: [Row<Node>], _ view: AnswerForm.View = .records, pretty: Bool = false, gzip: Bool = false
  ) -> (text: String, wasWritten: Bool) {
    var wasWritten = false
    let body = resources.body(AnswerForm(view: view, isPretty: pretty, acceptsGzip: gzip), rows) { writer in
      wasWritten = true
      writer.array(rows) { $0.string($1.value.node) }
    }
    return (String(buffer: body.bytes), wasWritten)
  }

  @Test func theSameRowsAreWrittenOnce() {
    let rows = [row("a"), row("b")]
    #expect(answer(rows) == ("[\"a\",\"b\"]", true))
    #expect(answer(rows) == ("[\"a\",\"b\"]", false))
  }

  @Test func aChangedRowMakesAnotherAnswer() {
    var rows = [row("a"), row("b")]
    _ = answer(rows)
    rows[1] = row("c")
    #expect(answer(rows) == ("[\"a\",\"c\"]", true))
    #expect(answer([rows[1], rows[0]]) == ("[\"c\",\"a\"]", true))
    #expect(answer([rows[0]]) == ("[\"a\"]", true))
  }

  @Test func anEqualRowThatIsAnotherObjectCountsAsAnother() {
    _ = answer([row("a")])
    #expect(answer([row("a")]) == ("[\"a\"]", true))
  }

  @Test func viewsAndLayoutsAreToldApart() {
    let rows = [row("a")]
    _ = answer(rows)
    #expect(answer(rows, .catalog).wasWritten)
    #expect(answer(rows, pretty: true) == ("[\n    \"a\"\n]\n", true))
    #expect(answer(rows).wasWritten == false)
  }

  @Test func whatIsPackedIsKeptPacked() {
    let rows = (0..<400).map { row("node-\($0)") }
    let form = AnswerForm(view: .records, isPretty: false, acceptsGzip: true)
    let first = resources.body(form, rows) { writer in writer.array(rows) { $0.string($1.value.node) } }
    #expect(first.isCompressed)
    let again = resources.body(form, rows) { _ in Issue.record("written twice") }
    #expect(again.bytes == first.bytes)
  }

  @Test func whatNobodyAsksForIsDroppedAfterTwoTurns() {
    let rows = [row("a")]
    var memo = AnswerMemo()
    let key = AnswerMemo.Key(AnswerForm(view: .records, isPretty: false, acceptsGzip: false), rows)
    memo.keep(AnswerMemo.Body(bytes: ByteBuffer(string: "x"), isCompressed: false), key, rows)
    memo.turn()
    #expect(memo.find(key) != nil, "asked for, and so kept for two more turns")
    memo.turn()
    memo.turn()
    #expect(memo.find(key) == nil)
    #expect(memo.isEmpty)
  }

  @Test func rowsOfDroppedAnswersAreFreed() {
    var memo = AnswerMemo()
    weak var freed: Row<Node>?
    do {
      let rows = [row("a")]
      freed = rows[0]
      let key = AnswerMemo.Key(AnswerForm(view: .records, isPretty: false, acceptsGzip: false), rows)
      memo.keep(AnswerMemo.Body(bytes: ByteBuffer(), isCompressed: false), key, rows)
    }
    #expect(freed != nil)
    memo.turn()
    memo.turn()
    #expect(freed == nil)
  }

  @Test func theMemoStaysWithinItsLimit() {
    var memo = AnswerMemo()
    let bytes = ByteBuffer(repeating: 0, count: AnswerMemo.generationLimit / 8)
    let all = (0..<100).map { [row("\($0)")] }
    let keys = all.map { AnswerMemo.Key(AnswerForm(view: .records, isPretty: false, acceptsGzip: false), $0) }
    for (key, rows) in zip(keys, all) { memo.keep(AnswerMemo.Body(bytes: bytes, isCompressed: false), key, rows) }
    #expect(keys.filter { memo.find($0) != nil }.count <= 16)
    #expect(memo.find(keys[99]) != nil)
  }
}
