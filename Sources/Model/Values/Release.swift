/// Which program this is, and which release of the reference it stands in for.
public enum Release {
  /// The program's own name and version.
  public static let product = "Proconsul"
  public static let productVersion = "0.1.0"
  /// The release of Consul whose interfaces the program speaks. Clients look at it to choose what they send.
  public static let version = "1.21.4"
  /// Where the reference shows the commit it was built from.
  public static let revision = "proconsul"
  /// RFC 3339.
  public static let buildDate = "2026-11-21T00:00:00Z"
}
