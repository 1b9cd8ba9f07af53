import Consensus
import HTTPAPI
import Model

#if canImport(Glibc)
  import Glibc
#endif

extension Agent {
  func raftStatistics(_ status: RaftStatus) -> [(String, String)] {
    let servers = status.latestConfiguration.servers.map {
      "{Suffrage:\($0.suffrage == .voter ? "Voter" : "Nonvoter") ID:\($0.id) Address:\($0.address)}"
    }
    let contact: String
    switch status.lastContact {
    case nil: contact = "never"
    case .some(.zero): contact = "0"
    case .some(let age): contact = GoDuration(nanoseconds: age.components.attoseconds / 1_000_000_000).description
    }
    return [
      ("applied_index", String(status.appliedIndex)), ("commit_index", String(status.commitIndex)),
      ("fsm_pending", String(status.pendingApplyCount)), ("last_contact", contact),
      ("last_log_index", String(status.lastLogIndex)), ("last_log_term", String(status.lastLogTerm)),
      ("last_snapshot_index", String(status.lastSnapshotIndex)),
      ("last_snapshot_term", String(status.lastSnapshotTerm)),
      ("latest_configuration", "[\(servers.joined(separator: " "))]"),
      ("latest_configuration_index", String(status.latestConfigurationIndex)),
      ("num_peers", String(status.peerCount)), ("protocol_version", String(status.protocolVersion)),
      ("protocol_version_max", String(status.protocolVersionMax)),
      ("protocol_version_min", String(status.protocolVersionMin)),
      ("snapshot_version_max", String(status.snapshotVersionMax)),
      ("snapshot_version_min", String(status.snapshotVersionMin)), ("state", status.state.rawValue),
      ("term", String(status.term)),
    ]
  }
}
