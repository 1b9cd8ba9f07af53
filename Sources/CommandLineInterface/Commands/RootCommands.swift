extension CommandTree {
  /// All commands of the program, in alphabetical order.
  static let root = CommandTree(entries: [
    .group("acl", "Works with access control", ACLCommands.group),
    .command("agent", "Runs an agent") { AgentCommand.command },
    .group("catalog", "Looks into the catalog", CatalogCommands.group),
    .command("debug", "Collects what an agent knows of itself") { DebugCommand.command },
    .command("event", "Fires an event") { EventCommand.command },
    .command("force-leave", "Counts a failed member as one that left") { MembershipCommands.forceLeave },
    .command("info", "Shows an agent's statistics") { InfoCommand.command },
    .command("join", "Makes an agent join a cluster") { MembershipCommands.join },
    .command("keygen", "Makes a key for the encryption of gossip") { KeygenCommand.command },
    .command("keyring", "Shows and changes the keys of gossip") { KeyringCommand.command },
    .group("kv", "Works with the key-value store", KVCommands.group),
    .command("leave", "Makes an agent leave its cluster and end") { MembershipCommands.leave },
    .command("lock", "Runs a program while holding a lock") { LockCommand.command },
    .command("maint", "Takes a node or service out of service, and back") { MaintCommand.command },
    .command("members", "Lists the members of a cluster") { MembersCommand.command },
    .command("monitor", "Follows the log of an agent") { MonitorCommand.command },
    .group("operator", "Works with the servers themselves", OperatorCommands.group),
    .command("reload", "Makes an agent read its configuration again") { MembershipCommands.reload },
    .command("rtt", "Estimates how far two nodes are from each other") { RTTCommand.command },
    .group("services", "Works with the services of an agent", ServicesCommands.group),
    .group("snapshot", "Saves, restores and shows the state of the servers", SnapshotCommands.group),
    .command("validate", "Checks a configuration") { ValidateCommand.command },
    .command("version", "Shows the version of this program") { VersionCommand.command },
    .command("watch", "Follows changes of the cluster") { WatchCommand.command },
  ])
}
