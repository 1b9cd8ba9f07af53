import Foundation
import Testing

@testable import Agent

@Test func changesOfFilesInFoldersAreSeen() throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("stamps-\(UUID())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let file = folder.appendingPathComponent("a.hcl")
  let empty = FileStamps([folder.path])
  try Data("a".utf8).write(to: file)
  let written = FileStamps([folder.path])
  #expect(written != empty)
  #expect(FileStamps([folder.path]) == written)
  try Data("ab".utf8).write(to: file)
  #expect(FileStamps([folder.path]) != written)
  #expect(FileStamps([file.path]) != FileStamps([]))
  #expect(FileStamps(["/absent"]) == FileStamps([]))
}
