import Testing

@testable import Telemetry

#if canImport(Glibc)
  import Glibc
#endif

private func lines(_ dialect: MetricsLines.Dialect, _ change: MetricChange, host: String? = nil) -> [String] {
  var settings = MetricsSettings()
  settings.hostName = host
  return MetricsLines(dialect: dialect, settings: settings).lines(change)
}

private let labels = [MetricLabel("method", "GET"), MetricLabel("path", "v1_kv_")]

@Test(arguments: [
  (MetricChange.Value.counter(3), ["consul.api.http.GET.v1_kv_:3.000000|c"]),
  (.gauge(-0.5), ["consul.vm.api.http.GET.v1_kv_:-0.500000|g"]),
  (.sample([1, 2.5], rate: 1), ["consul.api.http.GET.v1_kv_:1.000000|ms", "consul.api.http.GET.v1_kv_:2.500000|ms"]),
  (.sample([4], rate: 0.25), ["consul.api.http.GET.v1_kv_:4.000000|ms|@0.250000"]),
])
func statsdLinesPutLabelsIntoTheName(value: MetricChange.Value, expected: [String]) {
  #expect(lines(.plain, MetricChange(name: "api.http", labels: labels, value: value), host: "vm") == expected)
}

@Test func dogstatsdLinesHaveTagsAndNoHost() {
  let change = MetricChange(name: "raft.peers", labels: labels, value: .gauge(3))
  #expect(
    lines(.tagged(["env:test"]), change, host: "vm") == [
      "consul.raft.peers:3.000000|g|#env:test,method:GET,path:v1_kv_"
    ])
  #expect(
    lines(.tagged([]), MetricChange(name: "a", labels: [], value: .counter(1))) == ["consul.a:1.000000|c"])
}

@Test func charactersWithAMeaningDoNotReachTheWire() {
  let change = MetricChange(name: "a:b c", labels: [MetricLabel("k", "x|y\nz")], value: .counter(1))
  #expect(lines(.plain, change) == ["consul.a_b_c.x_y_z:1.000000|c"])
  #expect(lines(.tagged([]), change) == ["consul.a_b_c:1.000000|c|#k:x_y_z"])
}

@Test func changesAreTakenOnce() throws {
  let registry = MetricsRegistry(now: 1000)
  registry.detail.set(.values)
  registry.counter("c").increment(by: 2)
  registry.counter("c").increment()
  registry.gauge("g").set(7)
  for value in 0..<(MetricCell.unsentLimit * 2) { registry.sample("s").record(Double(value)) }
  let changes = Dictionary(uniqueKeysWithValues: registry.takeChanges().map { ($0.name, $0.value) })
  #expect(changes["c"] == .counter(3))
  #expect(changes["g"] == .gauge(7))
  guard case .sample(let values, let rate) = changes["s"] else { throw Missing() }
  #expect(values.count == MetricCell.unsentLimit)
  #expect(rate == 0.5)
  #expect(registry.takeChanges().isEmpty)
}

private struct Missing: Error {}

@Test func packetsHoldWholeLines() {
  var packer = LinePacker(limit: 10)
  for line in ["aaaa", "bbbb", "cc", "longer than the limit"] { packer.add(line) }
  #expect(
    packer.packets.map { String(decoding: $0, as: UTF8.self) } == ["aaaa\nbbbb\n", "cc\n", "longer than the limit\n"])
}

@Test func datagramsArriveWhereTheAddressSays() throws {
  let receiver = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
  defer { close(receiver) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = inet_addr("127.41.1.1")
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let bound = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      bind(receiver, $0, length) == 0 && getsockname(receiver, $0, &length) == 0
    }
  }
  #expect(bound)
  let connection = MetricsConnection(.udp, address: "127.41.1.1:\(UInt16(bigEndian: address.sin_port))")
  #expect(connection.send([Array("consul.a:1.000000|c\n".utf8)]))
  var buffer = [UInt8](repeating: 0, count: 100)
  let count = recv(receiver, &buffer, buffer.count, 0)
  #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == "consul.a:1.000000|c\n")
}

@Test func serversThatAreNotThereAreNoError() {
  #expect(!MetricsConnection(.tcp, address: "127.41.1.2:1").send([[1]]))
}

@Test func swiftMetricsCountIntoTheRegistry() {
  let registry = MetricsRegistry(now: 1000)
  let factory = RegistryMetricsFactory(registry)
  factory.makeCounter(label: "c", dimensions: [("k", "v")]).increment(by: 3)
  factory.makeTimer(label: "t", dimensions: []).recordNanoseconds(2_500_000)
  factory.makeRecorder(label: "g", dimensions: [], aggregate: false).record(4.0)
  let interval = registry.lastInterval
  #expect(interval.counters.map(\.sum) == [3])
  #expect(interval.samples.map(\.sum) == [2.5])
  #expect(interval.gauges.map(\.value) == [4])
}

@Test func theProcessKnowsItself() {
  let status = ProcessStatus.read()
  #expect(status.residentBytes > 0)
  #expect(status.openDescriptors > 0)
  #expect(status.threads > 0)
  #expect(status.startSeconds > 1_000_000_000)
}
