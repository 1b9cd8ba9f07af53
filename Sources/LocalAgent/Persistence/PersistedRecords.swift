import Model

/// A service as it lies in the data directory, in the reference's form.
struct PersistedService: Record {
  var token = ""
  var service = NodeService()
  /// `remote` for registrations over the API. Those of configuration files (`local`) are not kept.
  var source = ""
  /// Part of the service, but not of its JSON.
  var locallyRegisteredAsSidecar = false
  var managedProxy: Boxed<ManagedProxy>?

  static let schema = Schema<PersistedService>("persistedService") {
    $0.field("Token", \.token)
    $0.field("Service", \.service)
    $0.field("Source", \.source)
    $0.field("LocallyRegisteredAsSidecar", \.locallyRegisteredAsSidecar)
    $0.field("ManagedProxy", \.managedProxy, .omitEmpty)
  }
}

/// A check as it lies in the data directory.
struct PersistedCheck: Record {
  var check = HealthCheck()
  /// Nil for maintenance.
  var definition: CheckType?
  var token = ""
  var source = ""

  static let schema = Schema<PersistedCheck>("persistedCheck") {
    $0.field("Check", \.check)
    $0.field("ChkType", \.definition)
    $0.field("Token", \.token)
    $0.field("Source", \.source)
  }
}

/// What was last said of a TTL check.
struct PersistedCheckState: Record {
  var checkID = ""
  var output = ""
  var status = ""
  /// Seconds since 1970; later than that the state says nothing any more.
  var expires: Int64 = 0

  static let schema = Schema<PersistedCheckState>("persistedCheckState") {
    $0.field("CheckID", \.checkID)
    $0.field("Output", \.output)
    $0.field("Status", \.status)
    $0.field("Expires", \.expires)
  }
}

extension PersistedService {
  static let fromAPI = "remote"
}
