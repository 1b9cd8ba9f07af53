import Model
import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

/// What the machine is: processors, memory, disk, operating system, under the names of the reference's answer.
struct MachineDescription {
  private typealias Member = (key: String, value: Dynamic)

  /// The disk that this folder is on is described.
  let dataDirectory: String

  func encodeJSON(_ writer: inout JSONWriter) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let description: Dynamic = [
      "Memory": .object(DynamicObject(Self.memory)), "CPU": .array(Self.processors),
      "Host": .object(DynamicObject(Self.host)), "Disk": .object(DynamicObject(disk)),
      "CollectionTime": .int(Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)),
      "Errors": .null,
    ]
    description.encodeJSON(&writer, [])
  }

  // MARK: memory

  /// Names of `/proc/meminfo` (proc(5)) and those of the answer.
  private static let memoryNames = [
    ("MemTotal", "total"), ("MemAvailable", "available"), ("MemFree", "free"), ("Active", "active"),
    ("Inactive", "inactive"), ("Buffers", "buffers"), ("Cached", "cached"), ("Writeback", "writeBack"),
    ("Dirty", "dirty"), ("WritebackTmp", "writeBackTmp"), ("Shmem", "shared"), ("Slab", "slab"),
    ("SReclaimable", "sreclaimable"), ("SUnreclaim", "sunreclaim"), ("PageTables", "pageTables"),
    ("SwapCached", "swapCached"), ("CommitLimit", "commitLimit"), ("Committed_AS", "committedAS"),
    ("SwapTotal", "swapTotal"), ("SwapFree", "swapFree"), ("Mapped", "mapped"), ("VmallocTotal", "vmallocTotal"),
    ("VmallocUsed", "vmallocUsed"), ("VmallocChunk", "vmallocChunk"), ("Hugepagesize", "hugePageSize"),
  ]

  private static var memory: [Member] {
    let sizes = MemoryTable.bytes("/proc/meminfo")
    let total = sizes["MemTotal"] ?? 0
    let used = max(total - (sizes["MemAvailable"] ?? 0), 0)
    var members = memoryNames.map { (name, key) -> Member in (key, .uint(UInt64(sizes[name] ?? 0))) }
    members.append(("used", .uint(UInt64(used))))
    members.append(("usedPercent", .double(total > 0 ? used / total * 100 : 0)))
    return members
  }

  // MARK: processors

  private static var processors: [Dynamic] {
    ProcFile.text("/proc/cpuinfo").split(separator: "\n\n").compactMap { block in
      var facts: [Substring: Substring] = [:]
      for line in block.split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1)
        let name = trimmed(parts[0])
        facts[name] = parts.count > 1 ? trimmed(parts[1]) : ""
      }
      guard let number = facts["processor"].flatMap({ Int64($0) }) else { return nil }
      func text(_ name: Substring) -> Dynamic { .string(String(facts[name] ?? "")) }
      let cache = facts["cache size"]?.split(separator: " ").first.flatMap { Int64($0) } ?? 0
      let flags = (facts["flags"] ?? "").split(separator: " ").map { Dynamic.string(String($0)) }
      let stepping = facts["stepping"].flatMap { Int64($0) } ?? 0
      let frequency = facts["cpu MHz"].flatMap { Double($0) } ?? 0
      let members: [Member] = [
        ("cpu", .int(number)), ("vendorId", text("vendor_id")), ("family", text("cpu family")),
        ("model", text("model")), ("stepping", .int(stepping)), ("physicalId", text("physical id")),
        ("coreId", text("core id")), ("cores", .int(1)), ("modelName", text("model name")),
        ("mhz", .double(frequency)), ("cacheSize", .int(cache)), ("flags", .array(flags)),
        ("microcode", text("microcode")),
      ]
      return .object(DynamicObject(members))
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }

  // MARK: system and disk

  private static var host: [Member] {
    var system = utsname()
    _ = uname(&system)
    let release = withUnsafeBytes(of: &system.release) { text($0) }
    let machine = withUnsafeBytes(of: &system.machine) { text($0) }
    var facts: [Substring: Substring] = [:]
    for line in ProcFile.text("/etc/os-release").split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { facts[parts[0]] = parts[1].drop { $0 == "\"" }.prefix { $0 != "\"" } }
    }
    let boot = ProcessStatus.bootSeconds
    let id = String(trimmed(ProcFile.text("/etc/machine-id").prefix { $0 != "\n" }))
    let uptime = max(Int64(time(nil)) - boot, 0)
    let family = facts["ID_LIKE"] ?? facts["ID"] ?? ""
    let members: [Member] = [
      ("hostname", .string(NodeIdentity.hostName)),
      ("uptime", .int(uptime)), ("bootTime", .int(boot)),
      ("procs", .int(processCount)), ("os", .string("linux")),
      ("platform", .string(String(facts["ID"] ?? ""))),
      ("platformFamily", .string(String(family))),
      ("platformVersion", .string(String(facts["VERSION_ID"] ?? ""))),
      ("kernelVersion", .string(release)), ("kernelArch", .string(machine)),
      ("virtualizationSystem", .string("")), ("virtualizationRole", .string("")),
      ("hostId", .string(dashed(id))),
    ]
    return members
  }

  /// The machine's id, written as other ids are.
  private static func dashed(_ id: String) -> String {
    guard id.count == 32 else { return id }
    var result = ""
    for (index, digit) in id.enumerated() {
      if [8, 12, 16, 20].contains(index) { result += "-" }
      result.append(digit)
    }
    return result
  }

  private static var processCount: Int64 {
    guard let folder = opendir("/proc") else { return 0 }
    defer { closedir(folder) }
    var count: Int64 = 0
    while let entry = readdir(folder) {
      if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(UInt8(bitPattern: entry.pointee.d_name.0)) { count += 1 }
    }
    return count
  }

  private var disk: [Member] {
    let path = dataDirectory.isEmpty ? "/" : dataDirectory
    var disk = statvfs()
    _ = statvfs(path, &disk)
    let block = UInt64(disk.f_frsize)
    let total = UInt64(disk.f_blocks) &* block
    let used = total &- UInt64(disk.f_bfree) &* block
    let (files, free) = (UInt64(disk.f_files), UInt64(disk.f_ffree))
    let usedShare = total > 0 ? Double(used) / Double(total) * 100 : 0
    let filesShare = files > 0 ? Double(files &- free) / Double(files) * 100 : 0
    let members: [Member] = [
      ("path", .string(dataDirectory)), ("fstype", .string(Self.fileSystem(of: path))),
      ("total", .uint(total)), ("free", .uint(UInt64(disk.f_bavail) &* block)),
      ("used", .uint(used)),
      ("usedPercent", .double(usedShare)),
      ("inodesTotal", .uint(files)), ("inodesUsed", .uint(files &- free)),
      ("inodesFree", .uint(free)),
      ("inodesUsedPercent", .double(filesShare)),
    ]
    return members
  }

  /// The type of the file system with the longest mount point above `path`.
  private static func fileSystem(of path: String) -> String {
    var best = ("", "")
    for line in ProcFile.text("/proc/self/mounts").split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 2 else { continue }
      let point = String(words[1])
      let isAbove = path == point || path.hasPrefix(point.hasSuffix("/") ? point : point + "/")
      if isAbove, point.utf8.count >= best.0.utf8.count { best = (point, String(words[2])) }
    }
    return best.1
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}
