import Foundation
import Testing

@testable import CommandLineInterface

@Suite struct CompletionTests {
  @Test(arguments: [
    ("consul oper", ["operator"]), ("consul operator ", ["autopilot", "raft", "usage"]),
    ("consul operator raft l", ["list-peers"]), ("consul operator raft list-peers -st", ["-stale"]),
    ("consul kv get -det", ["-detailed"]), ("consul nonsense ", []), ("consul", []),
    ("consul -auto", ["-autocomplete-install", "-autocomplete-uninstall"]),
  ])
  func whatMayFollowIsOffered(line: String, expected: [String]) {
    #expect(Completion(tree: .root).candidates(line) == expected)
  }

  @Test func onlyWhatStandsBeforeTheCursorCounts() {
    #expect(Completion(tree: .root).candidates("consul ke get", point: 9) == ["keygen", "keyring"])
    #expect(Completion(tree: .root).candidates("consul ke", point: -3).isEmpty)
    #expect(Completion(tree: .root).candidates("consul ke", point: 999) == ["keygen", "keyring"])
  }

  @Test func startFilesAreChangedOnceAndBack() throws {
    let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID())")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: home) }
    let file = home.appendingPathComponent(".bashrc")
    try Data("alias ll='ls -l'".utf8).write(to: file)
    let setup = CompletionSetup(program: "/usr/local/bin/consul", home: home.path)
    #expect(try setup.install() == [file.path])
    #expect(
      try String(contentsOf: file, encoding: .utf8)
        == "alias ll='ls -l'\ncomplete -C /usr/local/bin/consul consul\n")
    #expect(try setup.install() == [])
    #expect(try setup.uninstall() == [file.path])
    #expect(try String(contentsOf: file, encoding: .utf8) == "alias ll='ls -l'\n")
    #expect(try setup.uninstall() == [])
  }

  @Test func linesOfOtherProgramsStay() throws {
    let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID())")
    try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: home) }
    let file = home.appendingPathComponent(".zshrc")
    let shared = "autoload -U +X bashcompinit && bashcompinit\n"
    try Data(shared.utf8).write(to: file)
    let setup = CompletionSetup(program: "/usr/local/bin/consul", home: home.path)
    _ = try setup.install()
    _ = try setup.uninstall()
    #expect(try String(contentsOf: file, encoding: .utf8) == shared)
  }

  @Test func namesOfArchivesHaveNoColons() {
    #expect(DebugCommand.fileTime(1_700_000_000) == "2023-11-14T22-13-20Z")
  }
}
