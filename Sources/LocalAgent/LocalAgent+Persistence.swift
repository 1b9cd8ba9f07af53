import Glibc
import Model

extension LocalAgent {
  /// Seconds since 1970.
  static var unixTime: Int64 { Int64(time(nil)) }

  /// Runs a step that touches the disk, if there is one.
  private func onDisk(_ step: (Disk) throws(FileError) -> Void) throws(LocalAgentError) {
    guard let disk else { return }
    do {
      try step(disk)
    } catch {
      throw .storage(error.description)
    }
  }

  /// Keeps a service and its checks for the next start, all or nothing: a registration that the disk refuses must not come
  /// back later.
  func keep(_ addition: ServiceAddition) throws(LocalAgentError) {
    do throws(LocalAgentError) {
      try keep(service: addition)
      for check in addition.checks { try keep(check) }
    } catch {
      if service(addition.service.id) == nil {
        try? forget(service: addition.service.id)
        for check in addition.checks { try? forget(check: check.check.checkID) }
      }
      throw error
    }
  }

  private func keep(service addition: ServiceAddition) throws(LocalAgentError) {
    try onDisk { (disk) throws(FileError) in
      var record = PersistedService()
      record.token = addition.token
      record.service = addition.service
      record.source = PersistedService.fromAPI
      record.locallyRegisteredAsSidecar = addition.service.locallyRegisteredAsSidecar
      record.managedProxy = addition.managedProxy.map { Boxed($0) }
      try disk.store.save(record)
    }
  }

  func keep(_ addition: CheckAddition) throws(LocalAgentError) {
    try onDisk { (disk) throws(FileError) in
      var record = PersistedCheck()
      record.check = addition.check
      record.definition = addition.definition
      record.token = addition.token
      record.source = PersistedService.fromAPI
      try disk.store.save(record)
    }
  }

  func forget(service id: String) throws(LocalAgentError) {
    try onDisk { (disk) throws(FileError) in try disk.store.remove(.services, id: id) }
  }

  func forget(check id: String) throws(LocalAgentError) {
    try onDisk { (disk) throws(FileError) in
      try disk.store.remove(.checks, id: id)
      try disk.states.remove(checkID: id)
    }
  }
}
