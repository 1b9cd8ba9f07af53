import Glibc
import NIOCore
import NIOPosix

/// Why a conversation over the network failed, in the words that outputs of checks use.
struct NetworkFailure: Error, Sendable, Equatable {
  enum Stage: Sendable { case dialing, handshake, exchange }

  var text: String
  var stage: Stage

  init(_ text: String, _ stage: Stage = .dialing) {
    self.text = text
    self.stage = stage
  }

  static let endOfStream = NetworkFailure("EOF", .exchange)

  /// An attempt to connect to `place` failed; `network` is `tcp`, `udp` or `unix`.
  static func dialing(_ network: String, _ place: String, _ error: any Error) -> NetworkFailure {
    switch error {
    case let failure as NetworkFailure: return failure
    case let error as NIOConnectionError:
      guard let last = error.connectionErrors.last else {
        return NetworkFailure("dial \(network): lookup \(error.host): no such host")
      }
      return dialing(network, last.target.hostPortText ?? place, last.error)
    case let error as IOError: return NetworkFailure("dial \(network) \(place): connect: \(errnoText(error.errnoCode))")
    case is SocketAddressError: return NetworkFailure("dial \(network): lookup \(place): no such host")
    case ChannelError.connectTimeout: return NetworkFailure("dial \(network) \(place): i/o timeout")
    default: return NetworkFailure("dial \(network) \(place): \(error)")
    }
  }

  /// An open connection failed while it was read.
  static func reading(_ network: String, _ channel: any Channel, _ error: any Error) -> NetworkFailure {
    switch error {
    case let failure as NetworkFailure: return failure
    case let error as IOError:
      let ends = "\(channel.localAddress?.hostPortText ?? "")->\(channel.remoteAddress?.hostPortText ?? "")"
      return NetworkFailure("read \(network) \(ends): read: \(errnoText(error.errnoCode))", .exchange)
    case is ChannelError: return .endOfStream
    default: return NetworkFailure("\(error)", .exchange)
    }
  }
}

/// The system's words for an error number, uncapitalised.
func errnoText(_ code: CInt) -> String {
  guard let words = strerror(code) else { return "errno \(code)" }
  let text = String(cString: words)
  return text.prefix(1).lowercased() + text.dropFirst()
}

extension SocketAddress {
  /// `1.2.3.4:80` or `[::1]:80`; nil for anything but IP.
  var hostPortText: String? {
    guard let ipAddress, let port else { return nil }
    return HostPort(host: ipAddress, port: port).description
  }
}
