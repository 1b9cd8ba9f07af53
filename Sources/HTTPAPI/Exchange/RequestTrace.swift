import Glibc
import Telemetry

/// What the log tells of a request, at level debug.
final class RequestTrace {
  private let method: String
  private let url: String
  private let client: String
  private let start: UInt64

  /// - Parameter client: Address and port.
  init(_ request: borrowing Request, client: String) {
    method = request.method.name
    url = Self.withoutSecret(request.url)
    self.client = client
    start = Self.now()
  }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
  }

  /// Tokens must not be read off logs.
  static func withoutSecret(_ url: String) -> String {
    guard url.contains("token=") else { return url }
    let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return url }
    let query = parts[1].split(separator: "&", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("token=") ? "token=<hidden>" : String($0) }
    return parts[0] + "?" + query.joined(separator: "&")
  }

  func finish(_ name: String) {
    let microseconds = Double((Self.now() &- start) / 10) / 100
    LogOutput.shared.log(
      .debug, name, "Request finished",
      ["method": method, "url": url, "from": client, "latency": "\(microseconds)µs"])
  }
}
