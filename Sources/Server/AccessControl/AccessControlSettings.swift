import AccessControl
import Model

/// What the configuration says of access control on a server.
public struct AccessControlSettings: Sendable {
  public var nodeName: String
  /// What a token without a matching rule may do.
  public var fallback = CompiledRules.Fallback.deny
  /// As the configuration has it; answers about tokens repeat it.
  public var downPolicy = "extend-cache"
  /// The secret of a token that may do everything, to be made in a new cluster; empty for none.
  public var initialManagement = Secret()
  /// Where an operator may put the file that allows another bootstrap; nil for nowhere.
  public var dataDirectory: String?
  /// The shortest time for which a token may be made.
  public var minimumTokenTTL = GoDuration.minutes(1)

  /// Where policies, roles and global tokens come from; nil in the primary datacenter itself.
  public var primary: PrimaryDatacenter?

  /// Whether lists of keys need a right of their own.
  public var listsKeysByPolicy = false
  /// Whether refusals are only noted.
  public var isDryRun = false

  public init(nodeName: String) { self.nodeName = nodeName }
}
