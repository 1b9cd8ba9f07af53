import Model
import NIOCore

/// Connects and closes again: passing when the connection is accepted and, if wished for, TLS is agreed on.
struct TCPProbe: Probe {
  /// As the user wrote it.
  let address: String
  let tls: TLSWish?
  let timeout: GoDuration
  let dialer: Dialer

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    let attempt = Attempt(on: loop, timeout: timeout, finish)
    let address = address
    attempt.limit { .critical("dial tcp \(address): i/o timeout") }
    let place: HostPort
    do {
      place = try HostPort(address)
    } catch {
      attempt.finish(.critical("dial tcp: \(error.text)"))
      return attempt
    }
    let label = tls == nil ? "TCP" : "TCP+TLS"
    let opened = dialer.open(.tcp(place), tls: tls, on: loop, timeout: attempt.timeout) { attempt.opened($0) }
    opened.whenComplete { result in
      switch result {
      case .success: attempt.finish(.passing("\(label) connect \(address): Success"))
      case .failure(let error): attempt.finish(.critical((error as? NetworkFailure)?.text ?? "\(error)"))
      }
    }
    return attempt
  }
}
