import Model

extension ServiceSplitter: EntryRules {
  mutating func normalize() {
    for index in splits.indices { splits[index].weight = Float(splits[index].hundredths) / 100 }
  }

  func validate() throws(ConfigEntryError) {
    try requireName()
    try checkMeta()
    try require(!splits.isEmpty, "no splits configured")
    var seen: Set<[String]> = []
    var total = 0.0
    for split in splits {
      let service = split.service.isEmpty ? name : split.service
      try require(
        seen.insert([service, split.serviceSubset, split.namespace, split.partition]).inserted,
        "split destination occurs more than once: service=\(service.goQuoted), "
          + "subset=\(split.serviceSubset.goQuoted), namespace=\(split.namespace.goQuoted), "
          + "partition=\(split.partition.goQuoted)")
      total += split.hundredths
    }
    try require(
      total == 10_000, "the sum of all split weights must be 100, not \(Double(Float(total) / 100).sixDecimals)")
  }
}

extension ServiceSplit {
  /// The weight in the steps that count.
  fileprivate var hundredths: Double { (Double(weight) * 100).rounded() }
}
