import Model

extension TerminatingGateway: EntryRules {
  func validate() throws(ConfigEntryError) {
    try checkMeta()
    var names: Set<String> = []
    for service in services {
      try require(!service.name.isEmpty, "Service name cannot be blank.")
      try require(
        names.insert(service.name).inserted,
        "Service \(service.name.goQuoted) was specified more than once within a namespace")
      let presentsCertificate = !service.certFile.isEmpty || !service.keyFile.isEmpty
      try require(
        !presentsCertificate || ![service.certFile, service.keyFile, service.caFile].contains(""),
        "Service \(service.name.goQuoted) must have a CertFile, CAFile, and KeyFile specified for TLS origination")
    }
    try requireServiceName()
  }
}
