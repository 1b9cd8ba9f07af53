#if canImport(Glibc)
  import Glibc
#endif

/// Gauges about the memory and the threads of this process (`runtime.…`): what it holds of main memory for its own data, what
/// it reserved for that, and how many threads it has.
public enum RuntimeMetrics {
  public static func collect(into registry: MetricsRegistry) {
    let sizes = MemoryTable.bytes("/proc/self/status")
    registry.gauge("runtime.alloc_bytes").set(sizes["RssAnon"] ?? 0)
    registry.gauge("runtime.sys_bytes").set(sizes["VmData"] ?? 0)
    registry.gauge("runtime.num_goroutines").set(Double(ProcessStatus.read().threads))
  }
}

/// Files of lines such as `MemTotal:  1024 kB`.
public enum MemoryTable {
  public static func bytes(_ path: String) -> [String: Double] {
    var sizes: [String: Double] = [:]
    for line in ProcFile.text(path).split(separator: "\n") {
      let words = line.split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "\t" })
      if words.count > 2, words[2] == "kB", let size = Double(words[1]) { sizes[String(words[0])] = size * 1024 }
    }
    return sizes
  }
}

/// Gauges about the machine (`host.…`), for `enable_host_metrics`.
public final class HostMetrics: Sendable {
  private let dataDirectory: String

  /// - Parameter dataDirectory: The disk that it is on is watched.
  public init(dataDirectory: String) { self.dataDirectory = dataDirectory.isEmpty ? "/" : dataDirectory }

  public func collect(into registry: MetricsRegistry) {
    memory(registry)
    disk(registry)
    processors(registry)
    let uptime = ProcFile.text("/proc/uptime").split(separator: " ").first.flatMap { Double($0) } ?? 0
    registry.gauge("host.uptime").set(uptime.rounded(.down))
  }

  private func memory(_ registry: MetricsRegistry) {
    let sizes = MemoryTable.bytes("/proc/meminfo")
    let total = sizes["MemTotal"] ?? 0
    let available = sizes["MemAvailable"] ?? 0
    registry.gauge("host.memory.total").set(total)
    registry.gauge("host.memory.available").set(available)
    registry.gauge("host.memory.free").set(sizes["MemFree"] ?? 0)
    registry.gauge("host.memory.used").set(total - available)
    registry.gauge("host.memory.used_percent").set(total > 0 ? (total - available) / total * 100 : 0)
  }

  private func disk(_ registry: MetricsRegistry) {
    var disk = statvfs()
    guard statvfs(dataDirectory, &disk) == 0 else { return }
    let block = Double(disk.f_frsize)
    let size = Double(disk.f_blocks) * block
    let used = size - Double(disk.f_bfree) * block
    let labels = [MetricLabel("path", dataDirectory)]
    registry.gauge("host.disk.size", labels).set(size)
    registry.gauge("host.disk.used", labels).set(used)
    registry.gauge("host.disk.available", labels).set(Double(disk.f_bavail) * block)
    registry.gauge("host.disk.used_percent", labels).set(size > 0 ? used / size * 100 : 0)
    let inodes = Double(disk.f_files)
    registry.gauge("host.disk.inodes_percent", labels)
      .set(inodes > 0 ? (inodes - Double(disk.f_ffree)) / inodes * 100 : 0)
  }

  /// The share of each kind of time since the machine started, per processor, in percent.
  private func processors(_ registry: MetricsRegistry) {
    for line in ProcFile.text("/proc/stat").split(separator: "\n") where line.hasPrefix("cpu") {
      let words = line.split(separator: " ")
      let ticks = words.dropFirst().prefix(8).compactMap { Double($0) }
      let total = ticks.reduce(0, +)
      guard let name = words.first, name != "cpu", ticks.count > 4, total > 0 else { continue }
      let labels = [MetricLabel("cpu", String(name))]
      let busy = total - ticks[3] - ticks[4]
      for (kind, value) in [
        ("user", ticks[0]), ("system", ticks[2]), ("idle", ticks[3]), ("iowait", ticks[4]), ("total", busy),
      ] {
        registry.gauge("host.cpu.\(kind)", labels).set(value / total * 100)
      }
    }
  }
}
