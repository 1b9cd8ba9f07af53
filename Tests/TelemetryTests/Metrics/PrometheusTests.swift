import Foundation
import Testing

@testable import Telemetry

private func settings(retention: Int64 = 60) -> MetricsSettings {
  var settings = MetricsSettings()
  settings.prometheusRetention = retention
  return settings
}

private func lines(_ registry: MetricsRegistry, now: Int64, _ settings: MetricsSettings = settings()) -> [String] {
  registry.prometheusText(settings, now: now).split(separator: "\n").map(String.init)
    .filter { !$0.contains("process_") }
}

private func declared() -> MetricsRegistry {
  let registry = MetricsRegistry(now: 1000)
  registry.detail.set(.quantiles)
  registry.declare([
    .counter("raft.apply", "Commands."), .gauge("server.isLeader", "Leads."), .sample("kvs.apply", "Takes."),
  ])
  return registry
}

@Test func declaredMetricsAreShownBeforeTheyHaveValues() {
  #expect(
    lines(declared(), now: 1001) == [
      "# HELP consul_kvs_apply Takes.", "# TYPE consul_kvs_apply summary", #"consul_kvs_apply{quantile="0.5"} NaN"#,
      #"consul_kvs_apply{quantile="0.9"} NaN"#, #"consul_kvs_apply{quantile="0.99"} NaN"#, "consul_kvs_apply_sum 0",
      "consul_kvs_apply_count 0", "# HELP consul_raft_apply Commands.", "# TYPE consul_raft_apply counter",
      "consul_raft_apply 0", "# HELP consul_server_isLeader Leads.", "# TYPE consul_server_isLeader gauge",
      "consul_server_isLeader 0",
    ])
}

@Test func totalsGoOnOverIntervals() {
  let registry = declared()
  registry.counter("raft.apply").increment(by: 2)
  registry.sample("kvs.apply").record(1.5)
  registry.endInterval(now: 1010, idleLimit: 60)
  registry.counter("raft.apply").increment(by: 3)
  registry.sample("kvs.apply").record(2.5)
  let shown = lines(registry, now: 1011)
  #expect(shown.contains("consul_raft_apply 5"))
  #expect(shown.contains("consul_kvs_apply_sum 4"))
  #expect(shown.contains("consul_kvs_apply_count 2"))
  #expect(shown.contains(#"consul_kvs_apply{quantile="0.99"} 2.5"#))
}

@Test func quantilesForgetWhatIsLongerAgoThanTwoIntervals() {
  let registry = declared()
  registry.sample("kvs.apply").record(1.5)
  for now in [1010, 1020] { registry.endInterval(now: Int64(now), idleLimit: 60) }
  let shown = lines(registry, now: 1021)
  #expect(shown.contains(#"consul_kvs_apply{quantile="0.5"} NaN"#))
  #expect(shown.contains("consul_kvs_apply_count 1"))
}

@Test func gaugesThatNobodySetsAnyMoreAreUnknown() {
  let registry = declared()
  registry.gauge("server.isLeader").set(1)
  registry.gauge("raft.peers").set(3)
  registry.endInterval(now: 1010, idleLimit: 60)
  #expect(lines(registry, now: 1070).contains("consul_server_isLeader 1"))
  #expect(lines(registry, now: 1071).contains("consul_server_isLeader NaN"))
  #expect(!lines(registry, now: 1071).contains { $0.hasPrefix("consul_raft_peers") })
}

@Test func labelsAreEscapedAndNamesCleaned() {
  let registry = MetricsRegistry(now: 1000)
  registry.counter("serf.events.consul:new-leader", [MetricLabel("a-b", "x\"y\\z\n")]).increment()
  #expect(lines(registry, now: 1001).last == #"consul_serf_events_consul:new_leader{a_b="x\"y\\z\n"} 1"#)
}

@Test func declaredGaugesKeepTheirNameAndSetOnesCarryTheHost() {
  let registry = declared()
  var named = settings()
  named.hostName = "vm"
  #expect(lines(registry, now: 1001, named).contains("consul_server_isLeader 0"))
  registry.gauge("server.isLeader").set(1)
  #expect(lines(registry, now: 1001, named).contains("consul_vm_server_isLeader 1"))
}

@Test func filteredMetricsAreNotShown() {
  var filtered = settings()
  filtered.blockedPrefixes = ["consul.raft"]
  #expect(!lines(declared(), now: 1001, filtered).contains { $0.contains("raft_apply") })
}

@Test func everyDefinitionHasANameOfItsOwnAndAText() {
  #expect(Set(MetricDefinition.all.map(\.name)).count == MetricDefinition.all.count)
  #expect(MetricDefinition.all.allSatisfy { !$0.help.isEmpty })
}

private let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
  FileManager.default.isExecutableFile(atPath: $0)
}

@Test(.enabled(if: promtool != nil, "promtool is not installed"))
func promtoolCanReadAllMetrics() throws {
  let registry = MetricsRegistry(now: 1000)
  registry.detail.set(.quantiles)
  registry.declare(MetricDefinition.all)
  registry.sample("api.http", [MetricLabel("method", "GET"), MetricLabel("path", "v1_kv_")]).record(1)
  registry.counter("catalog.service.query", [MetricLabel("service", "we\"b")]).increment()
  registry.gauge("state.nodes", [MetricLabel("datacenter", "dc1")]).set(3)
  let process = Process()
  process.executableURL = URL(fileURLWithPath: try #require(promtool))
  process.arguments = ["check", "metrics"]
  let (input, output) = (Pipe(), Pipe())
  process.standardInput = input
  process.standardError = output
  process.standardOutput = output
  try process.run()
  try input.fileHandleForWriting.write(contentsOf: Data(registry.prometheusText(settings(), now: 1001).utf8))
  try input.fileHandleForWriting.close()
  let complaints = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
  process.waitUntilExit()
  // 3: opinions about names, which are the reference's; 1: not understood.
  #expect(process.terminationStatus == 0 || process.terminationStatus == 3, "\(complaints)")
  #expect(!complaints.contains("error while linting"), "\(complaints)")
}
