import Model
import Wire

extension SnapshotCommands {
  private static let details = Flag.bool("kvdetails", "Tells how much room the keys of the store take.")
  private static let depth = Flag.int(
    "kvdepth", default: 2, "So many levels of folders keys are grouped by. Used with -kvdetails. The default is 2.")
  private static let filter = Flag.string("kvfilter", "Only keys that start with this text. Used with -kvdetails.")
  private static let format = Flag.string("format", default: "pretty", "Output format: pretty (default) or json.")

  static var inspect: Command {
    Command(
      usage: "Usage: consul snapshot inspect [options] FILE",
      about: """
        Tells what a snapshot file holds: when it was taken, and how many records of each type with how many bytes. A
        file named state.bin, in the data directory of a server, is read as it lies there.

            $ consul snapshot inspect backup.snap
            $ consul snapshot inspect -kvdetails -kvdepth=3 -kvfilter=app/ backup.snap
        """,
      flags: [details.any, depth.any, filter.any, format.any]
    ) { invocation in
      let file = try file(invocation)
      let statistics = SnapshotStatistics(
        groupsKeys: invocation[details], depth: invocation[depth], prefix: invocation[filter])
      do {
        statistics.metadata = try SnapshotFile(file).records { statistics.add($0) }
      } catch {
        throw SnapshotFile.failure(error)
      }
      switch invocation[format] {
      case "pretty": invocation.console.out(statistics.table)
      case "json": invocation.console.out(statistics.json)
      case let other: throw CommandFailure("Error outputting enhanced snapshot data: Unknown format: \(other)")
      }
      return 0
    }
  }
}

/// How much of what a snapshot holds.
final class SnapshotStatistics {
  struct Entry: Equatable {
    var name: String
    var count = 0
    /// Bytes.
    var sum = 0
  }

  var metadata = SnapshotArchiveMetadata()
  private let groupsKeys: Bool
  private let depth: Int
  private let prefix: String
  private var types: [String: Entry] = [:]
  private var keys: [String: Entry] = [:]
  private var total = 0
  private var keyTotal = 0

  init(groupsKeys: Bool = false, depth: Int = 2, prefix: String = "") {
    self.groupsKeys = groupsKeys
    self.depth = depth
    self.prefix = prefix
  }

  /// Counts one record. The header is counted with the first one.
  func add(_ element: SnapshotRecordReader.Element) {
    total += element.size
    guard let type = element.type else { return }
    let size = types.isEmpty ? total : element.size
    let name = SnapshotRecordReader.name(ofType: type)
    types[name, default: Entry(name: name)].count += 1
    types[name]?.sum += size
    if groupsKeys, type == 2, let entry = try? KVEntry(messagePack: element.value) { add(key: entry.key, size: size) }
  }

  private func add(key: String, size: Int) {
    guard key.hasPrefix(prefix) else { return }
    keyTotal += size
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    let group = parts.prefix(max(depth, 1)).joined(separator: "/")
    keys[group, default: Entry(name: group)].count += 1
    keys[group]?.sum += size
  }

  /// The largest first.
  private static func sorted(_ entries: [String: Entry]) -> [Entry] {
    entries.values.sorted { ($1.sum, $0.name) < ($0.sum, $1.name) }
  }

  // MARK: Showing

  private static let glue = "      "

  var table: String {
    let facts = [
      [" ID", metadata.id], [" Size", String(metadata.size)], [" Index", String(metadata.index)],
      [" Term", String(metadata.term)], [" Version", String(metadata.version)],
    ]
    var parts = [
      Columns.render(facts, glue: Self.glue), Self.table("Type", Self.sorted(types), total: total),
    ]
    if groupsKeys { parts.append(Self.table("Key Name", Self.sorted(keys), total: keyTotal)) }
    return parts.joined(separator: "\n\n")
  }

  private static func table(_ title: String, _ entries: [Entry], total: Int) -> String {
    let line = [" ----", "----", "----"]
    let rows = entries.map { [" \($0.name)", String($0.count), byteSize($0.sum)] }
    return Columns.render(
      [[" \(title)", "Count", "Size"], line] + rows + [line, [" Total", "", byteSize(total)]], glue: glue)
  }

  /// `559B`, `2.2KB`: at most one decimal.
  static func byteSize(_ count: Int) -> String {
    for (shift, unit) in [(40, "TB"), (30, "GB"), (20, "MB"), (10, "KB")] where count >= 1 << shift {
      let tenths = Int((Double(count) / Double(1 << shift) * 10).rounded(.toNearestOrEven))
      return tenths % 10 == 0 ? "\(tenths / 10)\(unit)" : "\(tenths / 10).\(tenths % 10)\(unit)"
    }
    return "\(count)B"
  }

  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.member("Meta")
    writer.beginObject()
    writer.member("ID")
    writer.string(metadata.id)
    writer.member("Size")
    writer.integer(metadata.size)
    writer.member("Index")
    writer.integer(metadata.index)
    writer.member("Term")
    writer.integer(metadata.term)
    writer.member("Version")
    writer.integer(metadata.version)
    writer.endObject()
    writer.member("Stats")
    Self.write(Self.sorted(types), &writer)
    writer.member("StatsKV")
    if groupsKeys { Self.write(Self.sorted(keys), &writer) } else { writer.null() }
    writer.member("TotalSize")
    writer.integer(total)
    writer.member("TotalSizeKV")
    writer.integer(keyTotal)
    writer.endObject()
    return String(decoding: prettyJSON(writer.bytes, indent: "   "), as: UTF8.self).trimmed
  }

  private static func write(_ entries: [Entry], _ writer: inout JSONWriter) {
    writer.array(entries) { writer, entry in
      writer.beginObject()
      writer.member("Name")
      writer.string(entry.name)
      writer.member("Sum")
      writer.integer(entry.sum)
      writer.member("Count")
      writer.integer(entry.count)
      writer.endObject()
    }
  }
}
