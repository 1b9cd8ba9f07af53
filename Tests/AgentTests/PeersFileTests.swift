import Consensus
import Foundation
import Testing

@testable import Agent

@Suite struct PeersFileTests {
  private let folder = FileManager.default.temporaryDirectory.path + "/peers-\(UUID().uuidString)"
  private var path: String { "\(folder)/raft/peers.json" }
  private static let good = #"[{"id": "a", "address": "10.0.0.1:8300", "non_voter": false}]"#

  private func write(_ text: String) throws {
    try FileManager.default.createDirectory(atPath: "\(folder)/raft", withIntermediateDirectories: true)
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  private var exists: Bool { FileManager.default.fileExists(atPath: path) }

  @Test func serversAreNamedByIDAndAddress() throws {
    let text = #"[{"id": "a", "address": "10.0.0.1:8300"}, {"id": "b", "address": "h:1", "non_voter": true}]"#
    #expect(
      try PeersFile.parse(text)
        == RaftConfiguration(servers: [
          RaftServer(id: "a", address: "10.0.0.1:8300"),
          RaftServer(id: "b", address: "h:1", suffrage: .nonVoter),
        ]))
  }

  @Test(arguments: [
    ("{}", PeersFile.Failure.notAList), (#"["10.0.0.1:8300"]"#, .wrongType(field: "the entry", index: 0)),
    (#"[{"address": "x:1"}]"#, .missing(field: "id", index: 0)),
    (#"[{"id": "a"}]"#, .missing(field: "address", index: 0)),
    (#"[{"id": "a", "address": 1}]"#, .wrongType(field: "address", index: 0)),
    (#"[{"id": "a", "address": "x:1", "non_voter": "no"}]"#, .wrongType(field: "non_voter", index: 0)),
  ])
  func whatNamesNoServersIsRefused(text: String, error: PeersFile.Failure) {
    #expect(throws: error) { try PeersFile.parse(text) }
  }

  @Test func theFileIsReadOnceAndOnlyAfterTheFirstStart() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = PeersFile(dataDirectory: folder)
    var recovered: [RaftConfiguration] = []
    // Of a release that knew nothing of this file.
    try write(Self.good)
    try file.consume { recovered.append($0) }
    #expect(recovered.isEmpty && !exists)
    #expect(FileManager.default.fileExists(atPath: "\(folder)/raft/peers.info"))

    try write(Self.good)
    try file.consume { recovered.append($0) }
    #expect(recovered.count == 1 && !exists)
    try file.consume { recovered.append($0) }
    #expect(recovered.count == 1)
  }

  @Test func aFileThatCouldNotBeFollowedStays() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let file = PeersFile(dataDirectory: folder)
    try file.consume { _ in }
    try write("[")
    #expect { try file.consume { _ in } } throws: { "\($0)".contains("failed to parse \(path)") }
    try write(Self.good)
    #expect { try file.consume { _ throws(RaftError) in throw .nothingToRecover } } throws: {
      "\($0)".contains("recovery failed: refused to recover cluster with no initial state")
    }
    #expect(exists)
  }
}
