import AccessControl
import Model
import NIOCore

/// Turns secrets into rights on a server of a secondary datacenter: what is kept here is believed, about everything else the
/// primary is asked.
///
///     request ── kept here? ──yes──▶ TokenResolver
///                  └─no──▶ RemoteTokenResolver ──ACL.TokenRead──▶ primary, at most once per `acl.token_ttl`
///
/// Without replication of tokens nothing is kept here. With it, this bridges the moment until a new token has arrived.
final class FederatedTokenResolver: AuthorizerResolver {
  private let own: TokenResolver
  private let secondary: Secondary
  private let remote: RemoteTokenResolver

  init(_ own: TokenResolver, _ secondary: Secondary, datacenter: String, on loop: any EventLoop) {
    self.own = own
    self.secondary = secondary
    var settings = RemoteTokenResolver.Settings(nodeName: own.settings.nodeName)
    settings.fallback = own.settings.fallback
    settings.downPolicy = secondary.primary.downPolicy
    settings.tokenTTL = secondary.primary.tokenTTL
    settings.policyTTL = secondary.primary.tokenTTL
    settings.roleTTL = secondary.primary.tokenTTL
    remote = RemoteTokenResolver(settings, datacenter: datacenter, on: loop) { secondary.ask($0, $1, on: $2, $3) }
  }

  func authorizer(for token: String) throws(AccessControlError) -> any Authorizer {
    if own.keeps(token) { return try own.authorizer(for: token) }
    // What is neither here nor remembered does not exist, even if the primary cannot be asked: no down policy is needed.
    if hasReplicated, !remote.remembers(token) { throw .notFound }
    return try remote.authorizer(for: token)
  }

  /// Whether the primary's tokens are kept here: every primary has one for requests without any.
  private var hasReplicated: Bool { secondary.allowsLocalTokens && own.keeps("") }

  func knows(_ token: String) -> Bool { own.keeps(token) || remote.knows(token) }
  func find(_ token: String, _ done: @escaping @Sendable () -> Void) { remote.find(token, done) }

  func lifetime(of token: String) -> Int64? {
    own.keeps(token) ? own.lifetime(of: token) : remote.lifetime(of: token)
  }
}
