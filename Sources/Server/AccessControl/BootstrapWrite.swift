import AccessControl
import Glibc
import Model
import State

/// Makes the first token of a cluster, which may do everything; once, or again after an operator allowed it.
public struct ACLBootstrap: WriteRequest {
  public static let method = "ACL.BootstrapTokens"
  /// The secret that the token is to have; empty for a random one.
  public var secret: Secret

  public init(secret: Secret) { self.secret = secret }

  public func prepare(_ context: WriteContext) throws(ServerError) -> PreparedWrite<ACLToken> {
    if let primary = context.primaryDatacenter {
      throw .invalid("ACL support disabled for bootstrapping: it is done in the primary datacenter \(primary.goQuoted)")
    }
    let state = context.state
    let reset = BootstrapReset(context.dataDirectory)
    let done = state.aclBootstrapIndex
    let given = done > 0 ? reset.index : 0
    if done > 0 {
      if given == 0 { throw .permissionDenied("ACL bootstrap no longer allowed (reset index: \(done))") }
      if given != done {
        throw .invalid("Invalid bootstrap reset index (specified \(given), reset index: \(done))")
      }
    }
    var request = ACLTokenBootstrapRequest()
    request.token = try token(context)
    request.resetIndex = given
    let accessor = request.token.accessorID
    let made = request.token
    return .command(.accessControl(.bootstrap(request))) { (result) throws(ServerError) in
      if case .failed(let text) = result, text.hasPrefix("ACL bootstrap no longer") { throw .permissionDenied(text) }
      _ = try result.success(prefix: "")
      reset.remove()
      return context.current().aclToken(accessor: accessor).value ?? made
    }
  }

  private func token(_ context: WriteContext) throws(ServerError) -> ACLToken {
    var token = ACLToken()
    if secret.isEmpty {
      token.secretID = Secret(ACLIdentifiers.unused { context.state.aclTokenRow(secret: Secret($0)) != nil })
    } else {
      let text = secret.revealed
      if text.utf8.count != 36 { throw .invalid("uuid string is wrong length") }
      if !Identifier.isValid(text) { throw .invalid("uuid is improperly formatted") }
      if text == ACLToken.anonymousAccessor || context.state.aclTokenRow(secret: secret) != nil {
        throw .invalid("Provided token cannot be used because a token with that secret already exists.")
      }
      if text.hasPrefix(ACLIdentifiers.reservedPrefix) {
        throw .invalid("UUIDs with the prefix \(ACLIdentifiers.reservedPrefix.goQuoted) are reserved")
      }
      token.secretID = secret
    }
    token.accessorID = ACLIdentifiers.unused { context.state.aclToken(accessor: $0).value != nil }
    token.description = "Bootstrap Token (Global Management)"
    token.policies = [ACLLink(id: ACLPolicy.managementID, name: BuiltinPolicies.management.name)]
    token.createTime = context.now
    token.hash = token.contentHash
    return token
  }
}

/// The file `acl-bootstrap-reset` in the data directory: whoever can write it may bootstrap again.
struct BootstrapReset: Sendable {
  private let path: String?

  init(_ dataDirectory: String?) { path = dataDirectory.map { $0 + "/acl-bootstrap-reset" } }

  /// The index that the file names; 0 without one.
  var index: UInt64 {
    guard let path else { return 0 }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return 0 }
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    return UInt64(text.filter { !$0.isWhitespace }) ?? 0
  }

  /// It counts once.
  func remove() {
    if let path { unlink(path) }
  }
}
