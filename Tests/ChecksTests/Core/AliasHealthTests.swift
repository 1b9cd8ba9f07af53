import Model
import Testing

@testable import Checks

@Suite struct AliasHealthTests {
  private static func check(
    _ id: String, _ status: String, service: String = "", name: String? = nil, output: String = ""
  ) -> HealthCheck {
    var check = HealthCheck()
    check.checkID = id
    check.name = name ?? id
    check.status = status
    check.serviceID = service
    check.output = output
    return check
  }

  private static func result(
    service: String, node: String = "", checks: [HealthCheck], exists: Bool = true, ownID: String = "alias"
  ) -> ProbeResult {
    AliasHealth(target: AliasTarget(node: node, serviceID: service), ownID: ownID, ownNode: "here")
      .result(AliasView(checks: checks, serviceExists: exists))
  }

  @Test func takesOverTheWorstCheckOfTheService() {
    let checks = [
      Self.check("a", "passing", service: "main"),
      Self.check("b", "warning", service: "main", name: "B", output: "slow"),
      Self.check("c", "critical", service: "main", name: "C", output: "dead"),
      Self.check("d", "critical", service: "main", name: "D"),
    ]
    #expect(Self.result(service: "main", checks: checks) == .critical("Aliased check \"C\" failing: dead"))
    let better = ProbeResult(status: .warning, output: "Aliased check \"B\" failing: slow")
    #expect(Self.result(service: "main", checks: Array(checks[..<2])) == better)
    #expect(Self.result(service: "main", checks: Array(checks[..<1])) == .passing("All checks passing."))
  }

  @Test func aPassingCheckAfterAWarningDoesNotHideIt() {
    let checks = [Self.check("a", "warning", service: "s"), Self.check("b", "passing", service: "s")]
    #expect(Self.result(service: "s", checks: checks).output == "Aliased check \"a\" failing: ")
  }

  @Test func theHealthOfTheNodeCountsForItsServices() {
    let checks = [Self.check("up", "critical", output: "gone"), Self.check("a", "passing", service: "main")]
    #expect(Self.result(service: "main", checks: checks) == .critical("Aliased check \"up\" failing: gone"))
  }

  @Test func otherServicesDoNotMatter() {
    let checks = [Self.check("a", "critical", service: "other")]
    #expect(Self.result(service: "main", checks: checks) == .passing("No checks found."))
    #expect(Self.result(service: "", node: "ext", checks: checks) == .passing("No checks found."))
  }

  @Test func aMissingServiceIsCritical() {
    let passing = [Self.check("up", "passing")]
    #expect(
      Self.result(service: "s", node: "far", checks: passing, exists: false)
        == .critical("Service s could not be found on node far"))
    #expect(
      Self.result(service: "s", checks: [], exists: false) == .critical("Service s could not be found on node "))
  }

  @Test func anAliasDoesNotFollowItself() {
    let checks = [Self.check("alias", "critical")]
    #expect(Self.result(service: "", checks: checks) == .passing("No checks found."))
    #expect(Self.result(service: "", node: "HERE", checks: checks) == .passing("No checks found."))
    #expect(Self.result(service: "", node: "far", checks: checks).status == .critical)
  }

  @Test func anUnknownStatusIsCritical() {
    #expect(Self.result(service: "", node: "far", checks: [Self.check("odd", "sideways")]).status == .critical)
  }
}
