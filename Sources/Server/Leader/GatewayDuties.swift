import Mesh
import Model
import NIOCore
import State
import Synchronization

/// What a leader does for API gateways: attaches routes and certificates to their listeners, and writes into the entries what
/// came of it.
///
/// Each change is logged on the condition that the entry is still the one that was looked at; whatever is logged leads to
/// another look, until nothing is left to be done.
final class GatewayDuties: Sendable {
  private struct State {
    var isLeading = false
    var isDue = false
  }

  private let datacenter: String
  private let store: StateStore
  private let loop: any EventLoop
  private let propose: @Sendable (Command) -> Void
  private let state = Mutex(State())

  init(
    datacenter: String, store: StateStore, loop: any EventLoop, propose: @escaping @Sendable (Command) -> Void
  ) {
    self.datacenter = datacenter
    self.store = store
    self.loop = loop
    self.propose = propose
  }

  func lead() {
    state.withLock { $0.isLeading = true }
    entriesChanged()
  }

  func follow() { state.withLock { $0.isLeading = false } }

  /// Entries that matter to gateways may have changed. Many changes at once are looked at once.
  func entriesChanged() {
    let isNew = state.withLock {
      guard $0.isLeading, !$0.isDue else { return false }
      $0.isDue = true
      return true
    }
    if isNew { loop.execute { self.bind() } }
  }

  private func bind() {
    let isLeading = state.withLock {
      $0.isDue = false
      return $0.isLeading
    }
    guard isLeading else { return }
    let current = store.current
    for change in APIGatewayBinding.changes(in: current, datacenter: datacenter, now: WallClock.now()) {
      propose(command(change, in: current))
    }
  }

  private func command(_ change: ConfigEntryChange, in current: StateSnapshot) -> Command {
    let expected = current.configEntry(change.kind, change.name).value?.modifyIndex ?? 0
    let op: ConfigEntryOp
    var entry: ConfigEntry
    switch change {
    case .put(let written): (op, entry) = (.upsertStatusIfUnchanged, written)
    case .delete(let kind, let name):
      var record = kind.type.init()
      record.common.name = name
      (op, entry) = (.deleteIfUnchanged, ConfigEntry(record))
    }
    entry.record.common.modifyIndex = expected
    var request = ConfigEntryRequest(op, entry)
    request.datacenter = datacenter
    return .configEntry(request)
  }
}
