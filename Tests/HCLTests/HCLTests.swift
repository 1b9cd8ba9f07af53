import Model
import Testing

@testable import HCL

@Suite struct HCLTests {
  private func plain(_ text: String) throws -> String { try HCL.parse(text).plain.json }

  @Test(arguments: [
    ("", "{}"),
    ("a = 1", #"{"a":1}"#),
    ("\"quoted key\" = true", #"{"quoted key":true}"#),
    ("a-b.c_d = \"x\"", #"{"a-b.c_d":"x"}"#),
    ("a = -3 b = 0x1F c = 017 d = 1.5 e = 2e3 f = -1.5E-1", #"{"a":-3,"b":31,"c":15,"d":1.5,"e":2000,"f":-0.15}"#),
    ("a = true b = false", #"{"a":true,"b":false}"#),
    ("a = []", #"{"a":[]}"#),
    ("a = [1, \"b\", true, [2], { c = 3 },]", #"{"a":[1,"b",true,[2],{"c":3}]}"#),
    ("a = { b = 1, c = 2, }", #"{"a":{"b":1,"c":2}}"#),
    ("a { b { c = 1 } }", #"{"a":{"b":{"c":1}}}"#),
    ("a { b = 1 } a { b = 2 }", #"{"a":[{"b":1},{"b":2}]}"#),
    ("service \"web\" { port = 80 }", #"{"service":{"web":{"port":80}}}"#),
    ("a \"x\" \"y\" { b = 1 } a \"x\" \"z\" { b = 2 }", #"{"a":{"x":{"y":{"b":1},"z":{"b":2}}}}"#),
    ("sink \"a\" {} sink \"b\" {}", #"{"sink":{"a":{},"b":{}}}"#),
    ("a = 1 a = 2", #"{"a":2}"#),
    ("a = [1] a = [2]", #"{"a":[2]}"#),
    ("# c\n// c\n/* c\nc */ a = 1 # c", #"{"a":1}"#),
    ("a = 1\r\nb = 2\r\n", #"{"a":1,"b":2}"#),
    ("\u{FEFF}a = 1", #"{"a":1}"#),
    ("größe = \"é\"", #"{"größe":"é"}"#),
    ("a = \"${ f(\"x\", { y = 1 }) }\"", #"{"a":"${ f(\"x\", { y = 1 }) }"}"#),
    ("a = <<EOF\none\n  two\nEOF\n", #"{"a":"one\n  two\n"}"#),
    ("a = <<-EOF\n    one\n      two\n    EOF\nb = 1", #"{"a":"one\n  two\n","b":1}"#),
    ("a = <<-EOF\n  one\nflush\n    EOF\n", #"{"a":"  one\nflush\n"}"#),
    ("a = <<EOF\nEOF\n", #"{"a":""}"#),
    ("a { t = <<EOF\nx\n EOF\n}", #"{"a":{"t":"x\n"}}"#),
  ])
  func everyFormOfTheLanguageIsRead(text: String, json: String) throws {
    #expect(try plain(text) == json)
  }

  @Test(arguments: [
    (#""\n\t\r\\\"""#, "\n\t\r\\\""), (#""\u00e9\U0001F600""#, "é😀"), (#""\x41\101""#, "AA"),
    (#""\a\b\f\v""#, "\u{7}\u{8}\u{C}\u{B}"),
  ])
  func escapesAreReplaced(literal: String, text: String) throws {
    #expect(try HCL.parse("a = \(literal)").plain["a"]?.string == text)
  }

  @Test(arguments: [
    ("datacenter = \"a\n", "At 1:16: literal not terminated"),
    ("service { name = ", "At 1:19: object expected closing RBRACE got: EOF"),
    ("service { name = \"broken\" port =\n", "At 2:2: object expected closing RBRACE got: EOF"),
    ("a = [1, 2", "At 1:11: error parsing list, expected comma or list end, got: EOF"),
    ("a = [1 2]", "At 1:8: error parsing list, expected comma or list end, got: NUMBER"),
    ("a = ", "At 1:6: expected a value, got: EOF"),
    ("a = b", "At 1:5: expected a value, got: IDENT"),
    ("a : 1", "At 1:3: illegal character ':'"),
    ("a 1", "At 1:3: key 'a' expected start of object ('{') or assignment ('='), got: NUMBER"),
    ("a \"b\" = 1", "At 1:7: nested object expected: LBRACE got: ASSIGN after the labels of 'a'"),
    ("= 1", "At 1:1: expected a key, got: ASSIGN"),
    ("}", "At 1:1: expected a key, got: RBRACE"),
    ("a = \"\\q\"", "At 1:6: illegal char escape \\q"),
    ("a = \"\\ud800\"", "At 1:6: illegal char escape (not a Unicode character)"),
    ("a = 12x", "At 1:5: illegal number 12x"),
    ("a = 99999999999999999999", "At 1:5: illegal number 99999999999999999999"),
    ("a = <<EOF\nx", "At 1:5: heredoc not terminated, expected a line with only EOF"),
    ("a = << \n", "At 1:5: heredoc marker must be a word followed by the end of the line"),
    ("/* open", "At 1:1: comment not terminated"),
    ("a = \"${ open", "At 1:13: literal not terminated"),
    ("é = 1\n  ß ~", "At 2:5: illegal character '~'"),
  ])
  func errorsTellThePlace(text: String, message: String) {
    let error = #expect(throws: HCLError.self) { try HCL.parse(text) }
    #expect(error?.description == message)
  }

  @Test func invalidEncodingIsRefused() {
    for bytes in [
      Array("a = \"".utf8) + [0xC3, 0x28] + Array("\"".utf8), [0xFF], Array("a = <<E\n".utf8) + [0xFF, 0x0A, 0x45],
    ] {
      let error = #expect(throws: HCLError.self) { try HCL.parse(bytes) }
      #expect(error?.reason == .invalidEncoding)
    }
  }

  @Test func positionsOfKeysAndValuesAreKept() throws {
    let document = try HCL.parse("a = 1\nb \"l\" {\n  é = [\n  2]\n}")
    #expect(document.entries.map(\.position) == [HCLPosition(line: 1, column: 1), HCLPosition(line: 2, column: 1)])
    #expect(document.entries[1].labels == ["l"])
    guard case .object(let inner) = document.entries[1].value.kind, case .list(let list) = inner.entries[0].value.kind
    else {
      Issue.record("the block has an unexpected form")
      return
    }
    #expect(inner.entries[0].value.position == HCLPosition(line: 3, column: 7))
    #expect(list[0].position == HCLPosition(line: 4, column: 3))
  }

  @Test func labelsCountAsDepth() throws {
    let limits = HCL.Limits(depth: 3)
    _ = try HCL.parse("a b c { d = 1 } e f g { h = 1 }", limits: limits)
    #expect(throws: HCLError.self) { try HCL.parse("a b c d { e = 1 }", limits: limits) }
    #expect(throws: HCLError.self) { try HCL.parse("a b { c d { e = 1 } }", limits: limits) }
  }

  @Test func depthAndSizeAreLimited() {
    let nested = String(repeating: "a {", count: 200) + String(repeating: "}", count: 200)
    #expect(throws: HCLError.self) { try HCL.parse(nested) }
    #expect(throws: HCLError.self) { try HCL.parse("a = " + String(repeating: "[", count: 100_000)) }
    #expect(throws: HCLError.self) { try HCL.parseJSON(Array(String(repeating: "[", count: 100_000).utf8)) }
    let error = #expect(throws: HCLError.self) { try HCL.parse("a = 1", limits: .init(size: 4)) }
    #expect(error?.reason == .tooLarge(limit: 4))
    #expect((try? HCL.parse(String(repeating: "a {", count: 128) + String(repeating: "}", count: 128))) != nil)
  }

  @Test func aDocumentThatStartsWithABraceIsJSON() throws {
    #expect(try plain(" \n{\"a\": {\"b\": [1, null]}}") == #"{"a":{"b":[1,null]}}"#)
  }
}

@Suite struct JSONDocumentTests {
  private func parse(_ text: String) throws(HCLError) -> HCLObject { try HCL.parseJSON(Array(text.utf8)) }

  @Test(arguments: [
    ("", "{}"), (" \n", "{}"), ("{}", "{}"), ("null", "{}"),
    (
      #"{"a":1,"b":-2.5e1,"c":"x","d":[true,false,null],"e":{"f":[]}}"#,
      #"{"a":1,"b":-25,"c":"x","d":[true,false,null],"e":{"f":[]}}"#
    ),
    (#"{"a":1,"a":2}"#, #"{"a":2}"#),
    (#"{"a":"\u00e9\ud83d\ude00\n\/\\"}"#, #"{"a":"é😀\n/\\"}"#),
    (#"{"a":"\ud800x"}"#, "{\"a\":\"\u{FFFD}x\"}"),
  ])
  func documentsAreRead(text: String, json: String) throws {
    #expect(try parse(text).plain.json == json)
  }

  @Test(arguments: [
    (#"{"datacenter": "a",}"#, "invalid character '}' looking for beginning of object key string"),
    (#"{"service": "#, "unexpected end of JSON input"),
    ("data_dir", "invalid character 'd' looking for beginning of value"),
    (#"{"a" 1}"#, "invalid character '1' after object key"),
    (#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
    (#"{"a":[1 2]}"#, "invalid character '2' after array element"),
    (#"{"a":trux}"#, "invalid character 'x' in literal true (expecting 'e')"),
    (#"{"a":"\q"}"#, "invalid character 'q' in string escape code"),
    (#"{"a":1.x}"#, "invalid character 'x' after decimal point in numeric literal"),
    (#"{} x"#, "invalid character 'x' after top-level value"),
    ("[1]", "cannot read a configuration from a list, expected an object"),
  ])
  func errorsHaveTheKnownWords(text: String, message: String) {
    let error = #expect(throws: HCLError.self) { try parse(text) }
    #expect(error?.description == message)
  }

  @Test func errorsKnowTheirPlace() {
    let error = #expect(throws: HCLError.self) { try parse("{\n  \"a\": ?}") }
    #expect(error?.position == HCLPosition(line: 2, column: 8))
  }
}
