import NIOCore

extension Channel {
  /// How long a peer may go on sending after the last answer.
  private var lingering: TimeAmount { .seconds(5) }

  /// Ends the connection in a way that lets the peer read what was sent last: only what is written ends now. Whoever closes a
  /// connection with bytes unread makes the system reset it, and the peer may never see the answer (RFC 1122, 4.2.2.13).
  ///
  /// The pipeline has to throw away what still arrives.
  ///
  /// - Parameter isInputOver: Whether the peer has ended its side already, so that there is nothing to wait for.
  func closeLingering(isInputOver: Bool = false) {
    let channel: any Channel = self
    if isInputOver { return channel.close(promise: nil) }
    let ending = eventLoop.makePromise(of: Void.self)
    channel.setOption(.autoRead, value: true).whenFailure { _ in }
    channel.close(mode: .output, promise: ending)
    // Where only both sides can be ended, that has to do.
    ending.futureResult.whenFailure { _ in channel.close(promise: nil) }
    let deadline = eventLoop.scheduleTask(in: lingering) { channel.close(promise: nil) }
    channel.closeFuture.whenComplete { _ in deadline.cancel() }
  }
}
