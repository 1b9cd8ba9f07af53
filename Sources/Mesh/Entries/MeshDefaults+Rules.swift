import Model

extension MeshDefaults: EntryRules {
  func validate() throws(ConfigEntryError) {
    try checkMeta()
    for (direction, settings) in [("incoming", tls?.incoming), ("outgoing", tls?.outgoing)] {
      guard let settings else { continue }
      try TLSRules.check(
        minimum: settings.tlsMinVersion, maximum: settings.tlsMaxVersion, suites: settings.cipherSuites,
        prefix: "error in \(direction) TLS configuration: ")
    }
    try http?.incoming?.requestNormalization?.check()
  }
}

extension RequestNormalization {
  fileprivate func check() throws(ConfigEntryError) {
    try check(
      "PathWithEscapedSlashesAction", pathWithEscapedSlashesAction,
      [
        "IMPLEMENTATION_SPECIFIC_DEFAULT", "KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT",
        "UNESCAPE_AND_FORWARD",
      ])
    try check(
      "HeadersWithUnderscoresAction", headersWithUnderscoresAction, ["ALLOW", "REJECT_REQUEST", "DROP_HEADER"])
  }

  private func check(_ field: String, _ action: String, _ known: [String]) throws(ConfigEntryError) {
    try require(
      action.isEmpty || known.contains(action),
      "error in HTTP incoming request normalization configuration: no matching \(field) value found for \(action), "
        + "please specify one of [\(known.joined(separator: ", "))]")
  }
}
