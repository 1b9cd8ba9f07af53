import Checks
import Model

extension LocalAgent {
  /// A proxy that exposes the checks of its service gets a port for each HTTP and gRPC check, and the checks run through
  /// it. Called whenever services or checks changed.
  func updateExposedChecks() {
    let plans = core.withLock { core in
      ExposurePlan.plans(core.state, ports: settings.exposedPorts)
    }
    for plan in plans { carryOut(plan) }
  }

  private func carryOut(_ plan: ExposurePlan) {
    do {
      guard let entry = core.withLock({ $0.state.check(plan.checkID) }) else { return }
      let runner = try runner(for: entry.check, definition: plan.definition, origin: entry.origin)
      let old = try change { (core) throws(LocalAgentError) in
        core.state.expose(check: plan.checkID, port: plan.port, definition: plan.definition)
        defer { core.runners[plan.checkID] = runner }
        return core.runners[plan.checkID]
      }
      old?.stop()
      runner.start()
    } catch {
      logger.warning(
        "a check cannot run through its proxy", metadata: ["check": "\(plan.checkID)", "reason": "\(error)"])
    }
  }
}

/// Under which port a proxy shall make one check reachable; 0 for no longer.
struct ExposurePlan: Sendable, Equatable {
  var checkID: String
  var port: Int
  var definition: CheckType

  /// What has to change. HTTP checks get the first ports, gRPC checks the next.
  static func plans(_ state: LocalState, ports: ClosedRange<Int>) -> [ExposurePlan] {
    var proxies: [String: NodeService] = [:]
    for entry in state.presentServices
    where entry.service.kind == ServiceKind.connectProxy && entry.service.proxy.value.expose.checks {
      proxies[entry.service.proxy.value.destinationServiceID] = entry.service
    }
    let all = state.presentChecks
    let checks =
      all.filter { $0.definition?.http.isEmpty == false }
      + all.filter { $0.definition?.http.isEmpty == true && $0.definition?.grpc.isEmpty == false }
    var used = Set(checks.map(\.check.exposedPort))
    var plans: [ExposurePlan] = []
    for entry in checks {
      guard let definition = entry.definition else { continue }
      let proxy = entry.check.serviceID.isEmpty ? nil : proxies[entry.check.serviceID]
      if let proxy, entry.check.exposedPort == 0 {
        guard let port = ports.first(where: { !used.contains($0) }) else { continue }
        used.insert(port)
        plans.append(
          ExposurePlan(
            checkID: entry.check.checkID, port: port,
            definition: definition.exposed(at: proxy.address.isEmpty ? "127.0.0.1" : proxy.address, port: port)))
      } else if proxy == nil, entry.check.exposedPort != 0 {
        plans.append(ExposurePlan(checkID: entry.check.checkID, port: 0, definition: definition.hidden))
      }
    }
    return plans
  }
}

extension CheckType {
  /// The same check through a proxy that listens at `address:port`.
  func exposed(at address: String, port: Int) -> CheckType {
    var copy = self
    let authority = AddressFamily(of: address) == .ipv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
    if let start = http.firstRange(of: "://")?.upperBound {
      let end = http[start...].firstIndex { "/?#".contains($0) } ?? http.endIndex
      copy.proxyHTTP = http[..<start] + authority + http[end...]
    }
    if !grpc.isEmpty { copy.proxyGRPC = authority + (grpc.firstIndex(of: "/").map { grpc[$0...] } ?? "") }
    return copy
  }

  /// The same check without a proxy.
  var hidden: CheckType {
    var copy = self
    copy.proxyHTTP = ""
    copy.proxyGRPC = ""
    return copy
  }
}
