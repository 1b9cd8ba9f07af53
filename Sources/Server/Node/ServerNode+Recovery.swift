import Consensus
import State

extension ServerNode {
  /// Gives the stored state of a server that does not run a configuration by the will of an operator.
  ///
  /// - Parameter stop: Ends the process for a log that this release cannot apply.
  /// - Throws: see `ManualRecovery.perform`.
  public static func recover(
    _ storage: RaftStorage, _ configuration: RaftConfiguration, stop: @escaping @Sendable (_ reason: String) -> Never
  ) throws(RaftError) {
    let machine = CommandApplier(store: StateStore(), stop: stop, applied: { _ in })
    try ManualRecovery.perform(configuration, on: storage, machine: machine)
  }
}
