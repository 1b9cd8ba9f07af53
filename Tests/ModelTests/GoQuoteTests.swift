import Model
import Testing

@Test(arguments: [
  ("", "\"\""), ("a/b", "\"a/b\""), ("say \"x\"\\", "\"say \\\"x\\\"\\\\\""), ("a\nb\tc\r", "\"a\\nb\\tc\\r\""),
  ("\u{0}\u{1F}\u{7F}", "\"\\x00\\x1f\\x7f\""), ("Käse 日本", "\"Käse 日本\""), ("\u{85}\u{200B}", "\"\\u0085\\u200b\""),
  ("\u{A0}\u{E0001}", "\"\\u00a0\\U000e0001\""),
])
func textsAreQuotedAsGoDoes(text: String, quoted: String) {
  #expect(text.goQuoted == quoted)
}
