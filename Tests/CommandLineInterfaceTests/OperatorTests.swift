import Model
import Testing

@testable import CommandLineInterface

private func usage(_ json: String) throws -> DynamicObject {
  try Dynamic(json: Array(json.utf8)).object ?? DynamicObject()
}

private let oneDatacenter = #"""
  {"dc1": {"Services": 5, "ServiceInstances": 6, "BillableServiceInstances": 3, "Nodes": 2,
    "ConnectServiceInstances": {"connect-proxy": 2, "api-gateway": 0}}}
  """#

@Test func usageOfOneDatacenterHasNoColumnForIt() throws {
  let report = UsageReport(try usage(oneDatacenter), showsDatacenters: false)
  #expect(
    report.billable == """
      Billable Service Instances Total: 3
      dc1 Billable Service Instances: 3

      Billable Services
      Services      Service instances
      5             3


      """)
  #expect(
    report.connect == """
      Connect Services
      Type               Service instances
      api-gateway        0
      connect-proxy      2
      """)
}

@Test func usageOfAllDatacentersHasTotals() throws {
  let report = UsageReport(try usage(oneDatacenter), showsDatacenters: true)
  let lines = report.connect.split(separator: "\n", omittingEmptySubsequences: false)
  #expect(lines.last == "Total                              2")
  #expect(lines.dropLast().last?.allSatisfy { $0 == " " } == true)
}

@Test func autopilotTextQuotesTagsOnly() throws {
  let configuration = try Dynamic(
    json: Array(
      #"{"CleanupDeadServers":true,"LastContactThreshold":"200ms","MaxTrailingLogs":250,"RedundancyZoneTag":"z"}"#.utf8)
  )
  let text = AutopilotCommands.text(of: configuration)
  #expect(text.hasPrefix("CleanupDeadServers = true\nLastContactThreshold = 200ms\nMaxTrailingLogs = 250\n"))
  #expect(text.contains("RedundancyZoneTag = \"z\""))
}
