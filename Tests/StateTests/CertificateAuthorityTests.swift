import Model
import Testing

@testable import State

/// The replicated part of the certificate authority.
@Suite struct CertificateAuthorityTests {
  private static func root(_ id: String, active: Bool) -> Row<CARoot> {
    var root = CARoot()
    root.id = id
    root.active = active
    return Row(root)
  }

  private static func request(
    _ operation: CARequest.Operation, _ change: (inout CARequest) -> Void = { _ in }
  ) -> Command {
    var request = CARequest(operation)
    change(&request)
    return .certificateAuthority(request)
  }

  @Test func rootsAreReplacedTogetherIfNobodyWasFaster() {
    let store = StateStore()
    func apply(_ command: Command, _ index: UInt64) -> CommandResult {
      var result = CommandResult.done
      store.write { result = $0.apply(command, index: index) }
      return result
    }
    #expect(apply(Self.request(.setRoots) { $0.roots = [Self.root("a", active: true)] }, 5) == .bool(true))
    #expect(store.current.caRoots.index == 5 && store.current.activeCARoot?.id == "a")
    // Based on an index that is not the present one.
    #expect(apply(Self.request(.setRoots) { $0.roots = [Self.root("b", active: true)] }, 6) == .bool(false))
    let both = Self.request(.setRootsAndConfiguration) {
      $0.index = 5
      $0.roots = [Self.root("b", active: true), Self.root("a", active: false)]
      $0.config = CAConfiguration()
      $0.config?.clusterID = "x"
    }
    #expect(apply(both, 7) == .bool(true))
    let roots = store.current.caRoots.value.map(\.value)
    #expect(roots.map(\.id) == ["a", "b"])
    #expect(roots.map(\.createIndex) == [5, 7] && roots.map(\.modifyIndex) == [7, 7])
    #expect(store.current.caConfiguration?.modifyIndex == 7)
    for roots in [[], [Self.root("a", active: false)], [Self.root("a", active: true), Self.root("b", active: true)]] {
      let result = apply(
        Self.request(.setRoots) {
          $0.index = 7
          $0.roots = roots
        }, 8)
      #expect(result == .failed("there must be exactly one active CA root"))
    }
  }

  @Test func theConfigurationKeepsItsClusterAndIsComparedWhereAsked() {
    let store = StateStore()
    func set(_ index: UInt64, expected: UInt64, clusterID: String = "") -> CommandResult {
      var result = CommandResult.done
      let command = Self.request(.setConfiguration) {
        var config = CAConfiguration()
        config.clusterID = clusterID
        config.modifyIndex = expected
        $0.config = config
      }
      store.write { result = $0.apply(command, index: index) }
      return result
    }
    #expect(set(3, expected: 0, clusterID: "x") == .bool(true))
    #expect(set(4, expected: 2) == .bool(false))
    #expect(set(5, expected: 3) == .bool(true))
    let kept = store.current.caConfiguration
    #expect(kept?.clusterID == "x" && kept?.createIndex == 3 && kept?.modifyIndex == 5)
  }

  @Test func serialNumbersBeginAboveTheProvidersIndexAndAreNeverGivenTwice() {
    let store = StateStore()
    func apply(_ command: Command, _ index: UInt64) -> CommandResult {
      var result = CommandResult.done
      store.write { result = $0.apply(command, index: index) }
      return result
    }
    let state = Self.request(.setProviderState) {
      var state = CAProviderState()
      state.id = "p"
      $0.providerState = state
    }
    #expect(apply(state, 6) == .bool(true))
    #expect(apply(Self.request(.incrementSerial), 7) == .number(7))
    #expect(apply(state, 30) == .bool(true))
    #expect(apply(Self.request(.incrementSerial), 31) == .number(8))
    #expect(apply(.leafIndex(CALeafRequest(datacenter: "dc1")), 32) == .number(32))
    #expect(apply(Self.request(.deleteProviderState) { $0.providerState = CAProviderState() }, 33) == .bool(true))
    #expect(store.current.caProviderState("p")?.createIndex == 6)
    var unknown = CARequest()
    unknown.op = "bogus"
    #expect(apply(.certificateAuthority(unknown), 34) == .failed("Invalid CA operation 'bogus'"))
  }

  @Test func whatIsStoredGoesThroughSnapshots() throws {
    let store = StateStore()
    store.write { transaction in
      _ = transaction.apply(Self.request(.setRoots) { $0.roots = [Self.root("a", active: true)] }, index: 5)
      let config = Self.request(.setConfiguration) {
        var config = CAConfiguration()
        config.provider = "consul"
        config.config["LeafCertTTL"] = "72h"
        $0.config = config
      }
      _ = transaction.apply(config, index: 6)
      let state = Self.request(.setProviderState) {
        var state = CAProviderState()
        state.id = "p"
        state.privateKey = Secret("key")
        $0.providerState = state
      }
      _ = transaction.apply(state, index: 7)
      _ = transaction.apply(Self.request(.incrementSerial), index: 8)
    }
    var bytes: [UInt8] = []
    try store.current.write { bytes.append(contentsOf: $0) }
    let copy = StateStore()
    var rest = bytes[...]
    try copy.restore { buffer in
      let piece = rest.prefix(buffer.count)
      rest = rest.dropFirst(piece.count)
      buffer.copyBytes(from: piece)
      return piece.count
    }
    let restored = copy.current
    #expect(restored.caRoots.value == store.current.caRoots.value && restored.caRoots.index == 5)
    #expect(restored.caConfiguration == store.current.caConfiguration)
    #expect(restored.caProviderStates == store.current.caProviderStates)
    #expect(restored.caProviderStates.first?.privateKey == Secret("key"))
  }

  @Test func commandsGoThroughTheLog() throws {
    for command in [Self.request(.incrementSerial), .leafIndex(CALeafRequest(datacenter: "dc1"))] {
      #expect(try Command(decoding: command.encode()) == command)
    }
    #expect(Command.leafIndex(CALeafRequest()).encode().first == 0x95)
  }
}
