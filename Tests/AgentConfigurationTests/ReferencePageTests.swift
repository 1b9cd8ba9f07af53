import Foundation
import Testing

@testable import AgentConfiguration

private let page = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("docs/configuration.md")

@Test func referencePageIsWhatTheTableOfOptionsSays() throws {
  if ProcessInfo.processInfo.environment["WRITE_DOCS"] != nil {
    try Data(ReferencePage.markdown.utf8).write(to: page)
  }
  let written = try String(decoding: Data(contentsOf: page), as: UTF8.self)
  #expect(written == ReferencePage.markdown, "docs/configuration.md is out of date: run `make docs`")
}

@Test func everyOptionThatCanBeWrittenIsOnThePage() {
  let page = ReferencePage.markdown
  for setting in SettingTable.all where !setting.traits.contains(.unwritable) {
    #expect(page.contains("`\(setting.path)`"), "\(setting.path) is missing")
  }
}
