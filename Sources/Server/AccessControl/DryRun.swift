import AccessControl
import Logging

/// Refusals that are only noted, and told to the log once each.
public enum DryRun {
  public static func resolver(_ inner: any AuthorizerResolver, logger: Logger) -> DryRunResolver {
    let ledger = DryRunLedger(now: { WallClock.now() }) { refusal in
      logger.warning(
        "a request would be denied", metadata: ["accessor": "\(refusal.accessor)", "right": "\(refusal.header)"])
    }
    return DryRunResolver(inner, ledger: ledger)
  }
}
