import Consensus
import HTTPAPI
import Model

#if canImport(Glibc)
  import Glibc
#endif

extension Agent {
  func raftStatistics(_ status: RaftStatus) -> [(String, String)] {
    let servers = status.latestConfiguration.servers.map {
      "{Suffrage:\($0.suffrage == .voter ? "Voter" : "Nonvoter") ID:\($0.id) Address:\($0.address)}"
    }
    let contact: String
    switch status.lastContact {
    case nil: contact = "never"
    case .some(.zero): contact = "0"
    case .some(let age): contact = GoDuration(nanoseconds: age.components.attoseconds / 1_000_000_000).description
    }
    return [
      ("applied_index", String(status.appliedIndex)), ("commit_index", String(status.commitIndex)),
      ("fsm_pending", String(status.pendingApplyCount)), ("last_contact", contact),
      ("last_log_index", String(status.lastLogIndex)), ("last_log_term", String(status.lastLogTerm)),
      ("last_snapshot_index", String(status.lastSnapshotIndex)),
      ("last_snapshot_term", String(status.lastSnapshotTerm)),
      ("latest_configuration", "[\(servers.joined(separator: " "))]"),
      ("latest_configuration_index", String(status.latestConfigurationIndex)),
      ("num_peers", String(status.peerCount)), ("protocol_version", String(status.protocolVersion)),
      ("protocol_version_max", String(status.protocolVersionMax)),
      ("protocol_version_min", String(status.protocolVersionMin)),
      ("snapshot_version_max", String(status.snapshotVersionMax)),
      ("snapshot_version_min", String(status.snapshotVersionMin)), ("state", status.state.rawValue),
      ("term", String(status.term)),
    ]
  }

  /// Facts about the machine: memory, host, disk.
  public func describeHost(_ writer: inout JSONWriter) {
    let memory = Self.memory
    var system = utsname()
    _ = uname(&system)
    var disk = statvfs()
    _ = statvfs(configuration.dataDirectory.isEmpty ? "/" : configuration.dataDirectory, &disk)
    let host: Dynamic = [
      "Memory": [
        "total": .uint(memory.total), "available": .uint(memory.available),
        "used": .uint(memory.total &- min(memory.available, memory.total)),
      ],
      "CPU": .array([]),
      "Host": [
        "hostname": .string(NodeIdentity.hostName), "os": "linux",
        "kernelVersion": .string(withUnsafeBytes(of: &system.release) { Self.text($0) }),
        "kernelArch": .string(withUnsafeBytes(of: &system.machine) { Self.text($0) }),
      ],
      "Disk": [
        "path": .string(configuration.dataDirectory), "total": .uint(UInt64(disk.f_blocks) &* UInt64(disk.f_frsize)),
        "free": .uint(UInt64(disk.f_bavail) &* UInt64(disk.f_frsize)),
      ],
      "CollectionTime": .int(Int64(time(nil)) &* 1_000_000_000), "Errors": .null,
    ]
    host.encodeJSON(&writer, [])
  }

  /// Bytes of main memory, from `/proc/meminfo`, which counts in KiB.
  private static var memory: (total: UInt64, available: UInt64) {
    var values: [Substring: UInt64] = [:]
    let text = (try? SmallFile.read("/proc/meminfo")) ?? nil
    for line in (text ?? "").split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
      if words.count > 1, let number = UInt64(words[1]) { values[words[0]] = number &* 1024 }
    }
    return (values["MemTotal"] ?? 0, values["MemAvailable"] ?? 0)
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The interval's metrics; nothing is measured yet, so all lists are empty.
  public func describeMetrics(_ writer: inout JSONWriter) {
    let metrics: Dynamic = [
      "Timestamp": .string(Timestamp(unixSeconds: Int64(time(nil))).description), "Gauges": [], "Points": [],
      "Counters": [], "Samples": [],
    ]
    metrics.encodeJSON(&writer, [])
  }

  public var prometheusMetrics: String? {
    configuration.telemetry.prometheusRetention > .zero ? "" : nil
  }
}
