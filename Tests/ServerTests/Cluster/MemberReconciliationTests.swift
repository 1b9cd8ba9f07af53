import Model
import State
import Testing

@testable import Server

/// The catalog after commands that reconciliation asks for.
private final class Catalog {
  let store = StateStore()
  var index: UInt64 = 0
  let reconciliation = MemberReconciliation(datacenter: "dc1", ownName: "s1")

  /// Carries out what has to be written about a member. Tells whether there was anything.
  @discardableResult
  func learn(_ member: ClusterMember) -> Bool {
    apply(reconciliation.command(for: member, in: store.current))
  }

  @discardableResult
  func apply(_ command: Command?) -> Bool {
    guard let command else { return false }
    index += 1
    _ = store.apply(index: index, command)
    return true
  }

  func health(_ node: String) -> String? { store.current.checks(node: node).value.first?.value.status }
  var nodes: [String] { store.current.nodes().value.map(\.value.node) }
}

@Suite("The catalog follows the pool")
struct MemberReconciliationTests {
  @Test func aClientThatComesHasANodeAndAPassingCheck() throws {
    let catalog = Catalog()
    #expect(catalog.learn(.client("c1")))
    let node = try #require(catalog.store.current.node(named: "c1")?.value)
    #expect((node.id, node.address) == ("id-c1", "10.0.1.1"))
    #expect(catalog.health("c1") == "passing")
    #expect(catalog.store.current.nodeServices("c1").value?.services.isEmpty == true)
  }

  @Test func aServerAlsoHasTheServiceByWhichItIsFound() throws {
    let catalog = Catalog()
    catalog.learn(.server("s2"))
    let service = try #require(catalog.store.current.nodeServices("s2").value?.services.first?.value)
    #expect((service.id, service.service, service.port) == ("consul", "consul", 8300))
    #expect(service.meta["version"] == "1.21.4")
    #expect(service.meta["grpc_tls_port"] == "8503")
    #expect(service.meta["non_voter"] == "false")
  }

  @Test func whatIsKnownIsNotWrittenAgain() {
    let catalog = Catalog()
    for member in [ClusterMember.client("c1"), .server("s2")] {
      #expect(catalog.learn(member))
      #expect(!catalog.learn(member))
    }
    #expect(catalog.learn(.client("c1", "10.0.1.9")), "a new address is news")
    #expect(catalog.learn(.server("s2", tags: ["grpc_port": "8502"])), "and so is a new port")
  }

  @Test func aMemberThatFailsAndReturnsTurnsItsCheck() {
    let catalog = Catalog()
    catalog.learn(.client("c1"))
    #expect(catalog.learn(.client("c1", status: .failed)))
    #expect(catalog.health("c1") == "critical")
    #expect(!catalog.learn(.client("c1", status: .failed)))
    #expect(catalog.learn(.client("c1")))
    #expect(catalog.health("c1") == "passing")
  }

  @Test func whatTheAgentWroteAboutItsNodeStays() {
    let catalog = Catalog()
    catalog.learn(.client("c1"))
    var request = RegisterRequest()
    request.node = "c1"
    request.id = "id-c1"
    request.address = "10.0.1.1"
    request.nodeMeta = ["rack": "7"]
    request.taggedAddresses = ["lan": "10.0.1.1"]
    catalog.apply(.register(request))
    #expect(!catalog.learn(.client("c1")))
    catalog.learn(.client("c1", status: .failed))
    #expect(catalog.store.current.node(named: "c1")?.value.meta["rack"] == "7")
  }

  @Test func whoeverLeavesOrIsForgottenGoes() {
    let catalog = Catalog()
    for name in ["c1", "c2", "c3"] { catalog.learn(.client(name)) }
    #expect(catalog.learn(.client("c1", status: .left)))
    #expect(catalog.apply(catalog.reconciliation.forgotten(.client("c2"), in: catalog.store.current)))
    #expect(catalog.nodes == ["c3"])
    #expect(!catalog.learn(.client("c1", status: .left)))
  }

  @Test func theLeaderNeverTakesItselfOut() {
    let catalog = Catalog()
    catalog.learn(.server("s1"))
    #expect(!catalog.learn(.server("s1", status: .left)))
    #expect(catalog.reconciliation.strangers(among: [], in: catalog.store.current).isEmpty)
  }

  @Test func membersThatWentUnseenAreFoundAndExternalNodesLeftAlone() {
    let catalog = Catalog()
    catalog.learn(.client("c1"))
    catalog.learn(.client("c2"))
    var external = RegisterRequest()
    external.node = "external"
    external.address = "192.0.2.1"
    catalog.apply(.register(external))
    for command in catalog.reconciliation.strangers(among: [.client("c2")], in: catalog.store.current) {
      catalog.apply(command)
    }
    #expect(catalog.nodes == ["c2", "external"])
  }

  @Test func membersOfOtherDatacentersAndStrangersToFailureAreIgnored() {
    let catalog = Catalog()
    #expect(!catalog.learn(.server("s9", tags: ["dc": "dc2"])))
    #expect(!catalog.learn(.client("c1", status: .failed)))
    #expect(catalog.nodes.isEmpty)
  }
}
