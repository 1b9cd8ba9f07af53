import Model
import Wire

extension SnapshotCommands {
  static var decode: Command {
    Command(
      usage: "Usage: consul snapshot decode FILE",
      about: """
        Shows the records of a snapshot file, one JSON object to a line: {"Data": …, "Type": "KVS"}. The first one tells
        where the snapshot comes from.

            $ consul snapshot decode backup.snap
        """
    ) { invocation in
      let file = try file(invocation)
      let console = invocation.console
      do {
        // Nothing is shown of a file that is not whole.
        let metadata = try SnapshotFile(file).read { _ in }
        console.out(line("SnapshotHeader", metadata.json))
        _ = try SnapshotFile(file).records { element in
          guard let type = element.type else { return }
          console.out(line(SnapshotRecordReader.name(ofType: type), try json(type, element.value)))
        }
      } catch {
        throw SnapshotFile.failure(error)
      }
      return 0
    }
  }

  private static func line(_ type: String, _ data: String) -> String { #"{"Data":\#(data),"Type":"\#(type)"}"# }

  /// Records whose description is known are shown as the API shows them, the others as they lie in the file.
  private static func json(_ type: UInt8, _ bytes: UnsafeRawBufferPointer) throws -> String {
    switch type {
    case 0: return try RegisterRequest(messagePack: bytes).json
    case 2, 5: return try KVEntry(messagePack: bytes).json
    case 3: return try Session(messagePack: bytes).json
    case 7: return try PreparedQuery(messagePack: bytes).json
    case 22: return try SnapshotValue.wrappedEntry(bytes)
    default: return try SnapshotValue.json(bytes)
    }
  }
}
