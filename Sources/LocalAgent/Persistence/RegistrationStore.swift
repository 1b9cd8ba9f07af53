import Crypto
import Logging
import Model

/// The registrations of the API in the data directory, one file each, so that they survive restarts:
///
///     services/<sha256 of the id>        checks/<sha256 of the id>        checks/state/<sha256 of the id>
///
/// Files that cannot be understood are put aside under another name and reported; they never stop the agent.
struct RegistrationStore: Sendable {
  static let asideSuffix = ".corrupt"

  let directory: String
  let logger: Logger

  enum Kind: String, Sendable {
    case services, checks
    case states = "checks/state"
  }

  init(directory: String, logger: Logger) {
    self.directory = directory
    self.logger = logger
  }

  func save(_ service: PersistedService) throws(FileError) { try save(service, .services, id: service.service.id) }
  func save(_ check: PersistedCheck) throws(FileError) { try save(check, .checks, id: check.check.checkID) }
  func save(_ state: PersistedCheckState) throws(FileError) { try save(state, .states, id: state.checkID) }

  private func save(_ record: some Record, _ kind: Kind, id: String) throws(FileError) {
    try AtomicFile.makeDirectory("\(directory)/\(kind.rawValue)")
    try AtomicFile.write(Array(record.json.utf8), to: path(kind, id: id))
  }

  func remove(_ kind: Kind, id: String) throws(FileError) { try AtomicFile.remove(path(kind, id: id)) }

  func path(_ kind: Kind, id: String) -> String { "\(directory)/\(kind.rawValue)/\(Self.fileName(id))" }

  static func fileName(_ id: String) -> String {
    SHA256.hash(data: Array(id.utf8)).reduce(into: "") { text, byte in
      if byte < 16 { text += "0" }
      text += String(byte, radix: 16)
    }
  }

  func loadServices() -> [PersistedService] {
    load(.services) { (record: PersistedService) in record.service.service.isEmpty ? nil : record.service.id }
      .map { record in
        var record = record
        record.service.locallyRegisteredAsSidecar = record.locallyRegisteredAsSidecar
        return record
      }
  }

  func loadChecks() -> [PersistedCheck] {
    load(.checks) { (record: PersistedCheck) in record.check.checkID }
  }

  /// The state of a TTL check, unless it expired.
  ///
  /// - Parameter now: seconds since 1970.
  func loadState(ofCheck id: String, now: Int64) -> PersistedCheckState? {
    let path = path(.states, id: id)
    guard let bytes = try? AtomicFile.read(path) else { return nil }
    guard let state = try? PersistedCheckState(json: bytes), state.checkID == id,
      CheckStatus(rawValue: state.status) != nil
    else {
      putAside(path, reason: "not the state of a check")
      return nil
    }
    guard state.expires >= now else {
      try? AtomicFile.remove(path)
      return nil
    }
    return state
  }

  /// - Parameter id: the id of a record, nil for one that makes no sense.
  private func load<R: Record>(_ kind: Kind, id: (R) -> String?) -> [R] {
    let folder = "\(directory)/\(kind.rawValue)"
    var records: [R] = []
    for name in AtomicFile.names(in: folder) where !name.hasSuffix(Self.asideSuffix) {
      let path = "\(folder)/\(name)"
      // What a crash left behind while it was written was never acknowledged.
      if name.hasSuffix(AtomicFile.temporarySuffix) {
        try? AtomicFile.remove(path)
        continue
      }
      do {
        let record = try R(json: AtomicFile.read(path))
        guard let id = id(record), !id.isEmpty else {
          putAside(path, reason: "no id")
          continue
        }
        try moveToPlace(record, kind, id: id, from: path)
        records.append(record)
      } catch let error as FileError {
        logger.warning("cannot read a stored registration", metadata: ["error": "\(error)"])
      } catch {
        putAside(path, reason: "\(error)")
      }
    }
    return records
  }

  /// Releases before 1.14 named files by another hash.
  private func moveToPlace(_ record: some Record, _ kind: Kind, id: String, from path: String) throws(FileError) {
    guard path != self.path(kind, id: id) else { return }
    try save(record, kind, id: id)
    try AtomicFile.remove(path)
  }

  private func putAside(_ path: String, reason: String) {
    let aside = path + Self.asideSuffix
    logger.warning(
      "a stored registration cannot be used and is put aside",
      metadata: ["file": "\(path)", "aside": "\(aside)", "reason": "\(reason)"])
    do {
      try AtomicFile.move(path, to: aside)
    } catch {
      logger.warning("it cannot be moved either", metadata: ["error": "\(error)"])
    }
  }
}
