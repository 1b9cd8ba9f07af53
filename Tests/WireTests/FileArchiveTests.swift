import Foundation
import Testing

@testable import Wire

@Test func tarCanUnpackAnArchiveOfFiles() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("archive-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
  let archive = try FileArchive.make(
    [("d/empty", []), ("d/a.json", Array("{}".utf8)), ("d/large", large)], modified: 1)
  try Data(archive).write(to: folder.appendingPathComponent("a.tar.gz"))
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/tar")
  process.arguments = ["xzf", "a.tar.gz"]
  process.currentDirectoryURL = folder
  try process.run()
  process.waitUntilExit()
  #expect(process.terminationStatus == 0)
  #expect(try Data(contentsOf: folder.appendingPathComponent("d/large")) == Data(large))
  #expect(try Data(contentsOf: folder.appendingPathComponent("d/a.json")) == Data("{}".utf8))
  #expect(try Data(contentsOf: folder.appendingPathComponent("d/empty")).isEmpty)
}
