import Model

extension StateTransaction {
  /// - Returns: Whether the state was the expected one, where the request names one; for a serial number, the number.
  mutating func apply(_ request: CARequest) -> CommandResult {
    switch CARequest.Operation(rawValue: request.op) {
    case .setConfiguration: return setConfiguration(request)
    case .setRoots: return setRoots(request)
    case .setRootsAndConfiguration:
      // Both or none.
      guard isExpected(request.config), request.index == tables.index(of: IndexName.caRoots) else {
        return .bool(false)
      }
      let result = setRoots(request)
      if result == .bool(true), let new = request.config { store(new) }
      return result
    case .setProviderState:
      guard var state = request.providerState else { return .failed("Missing provider state") }
      let old = tables.caProviderStates[state.id]?.value
      state.createIndex = old?.createIndex ?? index
      state.modifyIndex = index
      tables.caProviderStates[state.id] = Row(state)
      raise(IndexName.caProvider)
      return .bool(true)
    case .deleteProviderState:
      guard let id = request.providerState?.id else { return .failed("Missing provider state") }
      if tables.caProviderStates.removeValue(forKey: id) != nil { raise(IndexName.caProvider) }
      return .bool(true)
    case .incrementSerial:
      // Before the first one, numbers begin above every index that the provider has used.
      let last = tables.index(of: IndexName.caSerial)
      let next = (last > 0 ? last : tables.index(of: IndexName.caProvider)) &+ 1
      setIndex(IndexName.caSerial, next)
      return .number(next)
    case nil: return .failed("Invalid CA operation '\(request.op)'")
    }
  }

  private func isExpected(_ new: CAConfiguration?) -> Bool {
    guard let new, new.modifyIndex != 0 else { return true }
    return tables.caConfiguration?.value.modifyIndex == new.modifyIndex
  }

  private mutating func setConfiguration(_ request: CARequest) -> CommandResult {
    guard let new = request.config else { return .failed("Missing CA configuration") }
    guard isExpected(new) else { return .bool(false) }
    store(new)
    return .bool(true)
  }

  private mutating func store(_ configuration: CAConfiguration) {
    var new = configuration
    let old = tables.caConfiguration?.value
    if new.clusterID.isEmpty, let old { new.clusterID = old.clusterID }
    new.createIndex = old?.createIndex ?? index
    new.modifyIndex = index
    tables.caConfiguration = Row(new)
  }

  private mutating func setRoots(_ request: CARequest) -> CommandResult {
    guard request.index == tables.index(of: IndexName.caRoots) else { return .bool(false) }
    guard request.roots.count(where: { $0.value.active }) == 1 else {
      return .failed("there must be exactly one active CA root")
    }
    guard request.roots.allSatisfy({ !$0.value.id.isEmpty }) else { return .failed("missing CA root ID") }
    let old = Dictionary(tables.caRoots.map { ($0.value.id, $0.value) }, uniquingKeysWith: { first, _ in first })
    tables.caRoots = CARoots.sorted(
      request.roots.map { row in
        var root = row.value
        root.createIndex = old[root.id]?.createIndex ?? index
        root.modifyIndex = index
        return Row(root)
      })
    raise(IndexName.caRoots)
    return .bool(true)
  }

  // MARK: Snapshots

  mutating func restore(_ root: CARoot) {
    tables.caRoots = CARoots.sorted(tables.caRoots.filter { $0.value.id != root.id } + [Row(root)])
    raise(IndexName.caRoots, to: root.modifyIndex)
  }

  mutating func restore(_ state: CAProviderState) {
    tables.caProviderStates[state.id] = Row(state)
    raise(IndexName.caProvider, to: state.modifyIndex)
  }
}

private enum CARoots {
  static func sorted(_ roots: [Row<CARoot>]) -> [Row<CARoot>] { roots.sorted { $0.value.id < $1.value.id } }
}

extension StateSnapshot {
  /// The roots of the certificate authority, by their ids.
  public var caRoots: QueryResult<[Row<CARoot>]> {
    QueryResult(
      index: tables.index(of: IndexName.caRoots), value: tables.caRoots, watch: [.index(IndexName.caRoots)])
  }

  public var activeCARoot: CARoot? { tables.caRoots.first { $0.value.active }?.value }

  /// Nil until a leader has made the authority.
  public var caConfiguration: CAConfiguration? { tables.caConfiguration?.value }

  /// What the built-in provider keeps for the configuration of itself with this id.
  public func caProviderState(_ id: String) -> CAProviderState? { tables.caProviderStates[id]?.value }

  /// All that the built-in provider keeps, by the ids.
  public var caProviderStates: [CAProviderState] {
    tables.caProviderStates.values.map(\.value).sorted { $0.id < $1.id }
  }
}
