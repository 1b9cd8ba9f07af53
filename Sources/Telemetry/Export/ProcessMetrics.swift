#if canImport(Glibc)
  import Glibc
#endif

/// What the operating system knows of this process, under the names that Prometheus' own libraries use.
enum ProcessMetrics {
  static func write(_ out: inout PrometheusText) {
    let status = ProcessStatus.read()
    func gauge(_ name: String, _ help: String, _ value: Double) {
      out.begin(name, .gauge, help: help)
      out.value(name, [], value)
    }
    out.begin("process_cpu_seconds_total", .counter, help: "User and system time that the process used, in seconds.")
    out.value("process_cpu_seconds_total", [], status.cpuSeconds)
    gauge("process_max_fds", "File descriptors that the process may open.", status.descriptorLimit)
    gauge("process_open_fds", "File descriptors that are open.", Double(status.openDescriptors))
    gauge("process_resident_memory_bytes", "Memory in use that is in main memory, in bytes.", status.residentBytes)
    gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", status.startSeconds)
    gauge("process_virtual_memory_bytes", "Address space in use, in bytes.", status.virtualBytes)
  }
}

/// Figures from `/proc/self` (proc(5)).
public struct ProcessStatus {
  var cpuSeconds = 0.0
  var residentBytes = 0.0
  var virtualBytes = 0.0
  var startSeconds = 0.0
  var threads = 0
  var openDescriptors = 0
  var descriptorLimit = 0.0

  static func read() -> ProcessStatus {
    var status = ProcessStatus()
    // The name of the program, in parentheses, may contain anything.
    let stat = ProcFile.text("/proc/self/stat")
    let fields = stat.lastIndex(of: ")").map { stat[stat.index(after: $0)...].split(separator: " ") } ?? []
    if fields.count > 21 {
      let tick = Double(max(sysconf(Int32(_SC_CLK_TCK)), 1))
      status.cpuSeconds = ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / tick
      status.threads = Int(fields[17]) ?? 0
      status.startSeconds = Double(bootSeconds) + (Double(fields[19]) ?? 0) / tick
      status.virtualBytes = Double(fields[20]) ?? 0
      status.residentBytes = (Double(fields[21]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE)))
    }
    status.openDescriptors = openDescriptors()
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      status.descriptorLimit = Double(limit.rlim_cur)
    }
    return status
  }

  /// When the machine started, in seconds since 1970.
  public static var bootSeconds: Int64 {
    for line in ProcFile.text("/proc/stat").split(separator: "\n") where line.hasPrefix("btime ") {
      return Int64(line.dropFirst(6)) ?? 0
    }
    return 0
  }

  private static func openDescriptors() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(folder) }
    // Without ".", ".." and the folder itself.
    var count = -3
    while readdir(folder) != nil { count += 1 }
    return max(count, 0)
  }
}

/// Files that the kernel makes up while they are read.
public enum ProcFile {
  private static let sizeLimit = 256 * 1024

  /// The file's text; "" when it cannot be read.
  public static func text(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while bytes.count < sizeLimit {
      let count = read(descriptor, &part, part.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      bytes += part[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
