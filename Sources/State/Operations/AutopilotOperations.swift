import Model

extension StateTransaction {
  /// - Returns: Whether the configuration was the expected one, where the request names one.
  mutating func apply(_ request: AutopilotSetConfigRequest) -> CommandResult {
    let old = tables.autopilot
    if request.cas, old?.value.modifyIndex != request.config.modifyIndex { return .bool(false) }
    var new = request.config
    new.createIndex = old?.value.createIndex ?? index
    new.modifyIndex = index
    tables.autopilot = Row(new)
    return request.cas ? .bool(true) : .done
  }
}

extension StateSnapshot {
  /// Nil until a leader has set one.
  public var autopilotConfiguration: Row<AutopilotConfiguration>? { tables.autopilot }
}
