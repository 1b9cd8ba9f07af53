import Model

extension ExportedServices: EntryRules {
  func validate() throws(ConfigEntryError) {
    try require(name == "default", "exported-services Name must be \"default\"")
    try checkMeta()
    for (index, service) in services.enumerated() { try service.check("Services[\(index)]") }
  }
}

extension ExportedService {
  fileprivate func check(_ place: String) throws(ConfigEntryError) {
    try require(!name.isEmpty, "\(place): service name cannot be empty")
    try require(!consumers.isEmpty, "\(place): must have at least one consumer")
    for (index, consumer) in consumers.enumerated() {
      let place = "\(place).Consumers[\(index)]"
      try require(
        [consumer.partition, consumer.peer, consumer.samenessGroup].count { !$0.isEmpty } < 2,
        "\(place): must define at most one of Peer, Partition, or SamenessGroup")
      try require(consumer.samenessGroup.isEmpty, "\(place): sameness-groups are an enterprise-only feature")
      try require(consumer.partition != "*", "\(place): exporting to all partitions (wildcard) is not supported")
      try require(consumer.peer != "*", "\(place): exporting to all peers (wildcard) is not supported")
    }
  }
}

extension SamenessGroup: EntryRules {
  func validate() throws(ConfigEntryError) {
    throw ConfigEntryError("sameness-groups are an enterprise-only feature")
  }
}
