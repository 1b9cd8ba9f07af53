/// `consul operator …`: the servers themselves.
enum OperatorCommands {
  static let group = CommandGroup(
    usage: "Usage: consul operator <subcommand> [options]",
    about: """
      Tools for those who run the servers. Some of them can lose data when they are used without need.

          $ consul operator raft list-peers
          $ consul operator autopilot state

      Each subcommand explains its options with -h.
      """,
    entries: [
      .group("autopilot", "Shows and changes how servers look after themselves", AutopilotCommands.group),
      .group("raft", "Works with the consensus of the servers", RaftCommands.group),
      .group("usage", "Shows how much the catalog holds", UsageCommands.group),
    ])
}
