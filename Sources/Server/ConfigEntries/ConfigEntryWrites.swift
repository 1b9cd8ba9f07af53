import AccessControl
import Mesh
import Model
import State

/// Creates a config entry or replaces the one of its kind and name. The answer is whether that was as expected.
public struct ConfigEntryApply: WriteRequest {
  public static let method = "ConfigEntry.Apply"
  public var entry: ConfigEntry
  /// The modify index that the present one must have, 0 for none; nil for any.
  public var expectedIndex: UInt64?

  public init(_ entry: ConfigEntry, expectedIndex: UInt64? = nil) {
    self.entry = entry
    self.expectedIndex = expectedIndex
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    var entry = try entry.checked()
    try context.require(entry.kind.writeRight(entry.name))
    for service in entry.referredServices { try context.require(.serviceRead(service)) }
    entry.record.common.modifyIndex = expectedIndex ?? 0
    var request = ConfigEntryRequest(expectedIndex == nil ? .upsert : .upsertIfUnchanged, entry)
    request.datacenter = context.datacenter
    return .command(.configEntry(request)) { (result) throws(ServerError) in try result.success(prefix: "") }
  }
}

extension ConfigEntry {
  /// The entry with what it leaves open filled in.
  /// - Throws: `ServerError.invalid` for an entry that breaks a rule.
  func checked() throws(ServerError) -> ConfigEntry {
    if kind == .boundAPIGateway { throw .permissionDenied("only writeable by controller") }
    do throws(ConfigEntryError) {
      return try prepared(CertificateFacts())
    } catch {
      throw .invalid(error.description)
    }
  }
}

/// Deletes a config entry. The answer is whether it was as expected; one that does not exist is no error.
public struct ConfigEntryDelete: WriteRequest {
  public static let method = "ConfigEntry.Delete"
  public var kind: ConfigEntryKind
  public var name: String
  /// The modify index that it must have; nil for any.
  public var expectedIndex: UInt64?

  public init(_ kind: ConfigEntryKind, _ name: String, expectedIndex: UInt64? = nil) {
    self.kind = kind
    self.name = name
    self.expectedIndex = expectedIndex
  }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<Bool> {
    if kind == .boundAPIGateway { throw .permissionDenied("only writeable by controller") }
    if kind == .proxyDefaults, let only = kind.onlyName, name != only {
      throw .invalid("invalid name (\(name.goQuoted)), only \(only.goQuoted) is supported")
    }
    try context.require(kind.writeRight(name))
    guard context.state.configEntry(kind, name).value != nil else { return .immediate(true) }
    var request = self.request
    request.datacenter = context.datacenter
    return .command(.configEntry(request)) { (result) throws(ServerError) in try result.success(prefix: "") }
  }
}

// In a secondary datacenter, entries come from the primary.
extension ConfigEntryApply { public func belongsInPrimary(_ here: SecondaryView) -> Bool { true } }
extension ConfigEntryDelete { public func belongsInPrimary(_ here: SecondaryView) -> Bool { true } }
extension IntentionApply { public func belongsInPrimary(_ here: SecondaryView) -> Bool { true } }
