import Model

/// What one kind of config entries accepts. Every kind has its own rules, in a file of its own.
protocol EntryRules: ConfigEntryRecord {
  /// Fills in defaults and brings what can be written in several ways into one form.
  mutating func normalize()

  /// - Throws: `ConfigEntryError` with what is wrong. What depends on other entries is not asked here.
  func validate() throws(ConfigEntryError)
}

extension EntryRules {
  mutating func normalize() {}
}

extension ConfigEntry {
  /// The entry as it is stored: defaults filled in, in canonical form, with the hash of its content.
  ///
  /// - Parameter inspection: looks into certificates and keys. Without one, inline certificates are taken as they are.
  /// - Throws: `ConfigEntryError` if the entry breaks a rule of its kind.
  public func prepared(_ inspection: (any CertificateInspection)? = nil) throws(ConfigEntryError) -> ConfigEntry {
    guard let rules = record as? any EntryRules else { throw ConfigEntryError("\(kind.rawValue) has no rules") }
    func prepare(_ rules: some EntryRules) throws(ConfigEntryError) -> ConfigEntry {
      var rules = rules
      rules.normalize()
      if let inspection, let certificate = rules as? InlineCertificate { try certificate.check(inspection) }
      try rules.validate()
      return ConfigEntry(rules).hashed()
    }
    return try prepare(rules)
  }
}

extension ConfigEntryError {
  /// Several complaints as the reference lists them.
  init(list complaints: [String]) { self.init(Self.list(complaints)) }

  static func list(_ complaints: [String]) -> String {
    let head = complaints.count == 1 ? "1 error occurred:" : "\(complaints.count) errors occurred:"
    return head + "\n" + complaints.map { "\t* \($0)\n" }.joined() + "\n"
  }
}

/// Refuses with a complaint unless the condition holds.
func require(_ condition: Bool, _ complaint: @autoclosure () -> String) throws(ConfigEntryError) {
  if !condition { throw ConfigEntryError(complaint()) }
}

extension ConfigEntryRecord {
  func requireName() throws(ConfigEntryError) { try require(!name.isEmpty, "Name is required") }

  /// For the kinds whose name the reference asks for last, when it looks for the service that the entry is about.
  func requireServiceName() throws(ConfigEntryError) { try require(!name.isEmpty, "serviceName is required") }

  /// Counts and lengths in bytes of what users note on an entry.
  func checkMeta() throws(ConfigEntryError) {
    let (countLimit, keyLimit, valueLimit) = (64, 128, 512)
    var complaints: [String] = []
    if meta.count > countLimit { complaints.append("Meta exceeds maximum element count \(countLimit)") }
    for entry in meta {
      if entry.key.utf8.count > keyLimit {
        complaints.append("Meta key \(entry.key.goQuoted) exceeds maximum length \(keyLimit)")
      }
      if entry.value.utf8.count > valueLimit {
        complaints.append("Meta value for key \(entry.key.goQuoted) exceeds maximum length \(valueLimit)")
      }
    }
    if !complaints.isEmpty { throw ConfigEntryError(list: complaints) }
  }
}

/// Fields that only the commercial edition of the reference accepts.
func refuseEnterprise(_ fields: [(name: String, value: String)], _ prefix: String) throws(ConfigEntryError) {
  for field in fields where !field.value.isEmpty {
    throw ConfigEntryError("\(prefix): Setting \(field.name) requires Consul Enterprise")
  }
}

/// The methods of HTTP (RFC 9110, RFC 5789).
let httpMethods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"]

/// - Throws: `ConfigEntryError` for a method that does not exist or is named twice. `prefix` says where.
func checkMethods(_ methods: [String], _ prefix: String) throws(ConfigEntryError) {
  var seen: Set<String> = []
  for method in methods {
    try require(httpMethods.contains(method), "\(prefix) contains an invalid method \(method.goQuoted)")
    try require(seen.insert(method).inserted, "\(prefix) contains \(method.goQuoted) more than once")
  }
}
