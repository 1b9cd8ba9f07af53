import Model
import NIOCore
import NIOPosix
import Synchronization

/// Sends an empty datagram and waits for an answer: passing when one comes, critical when the network says that nobody is there.
///
/// Silence means nothing for services that never answer, such as a log collector, so it changes no status; but once a service
/// has answered, its silence is a failure.
final class UDPProbe: Probe {
  /// As the user wrote it.
  private let address: String
  private let timeout: GoDuration
  private let hasAnswered = Atomic(false)

  init(address: String, timeout: GoDuration) {
    self.address = address
    self.timeout = timeout
  }

  func run(on loop: any EventLoop, _ finish: @escaping Attempt.Finish) -> any Abandonable {
    let attempt = Attempt(on: loop, timeout: timeout, finish)
    attempt.limit {
      self.hasAnswered.load(ordering: .relaxed) ? .critical("read udp \(self.address): i/o timeout") : nil
    }
    let place: HostPort
    do {
      place = try HostPort(address)
    } catch {
      attempt.finish(.critical("dial udp: \(error.text)"))
      return attempt
    }
    resolve(place, on: loop).flatMap { address in
      DatagramBootstrap(group: loop).channelInitializer { channel in
        attempt.opened(channel)
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(AnswerReader(channel.eventLoop))
        }
      }.connect(to: address)
    }.flatMapErrorThrowing { error in
      throw NetworkFailure.dialing("udp", place.description, error)
    }.flatMap { channel in
      let outcome = channel.outcome(of: AnswerReader.self)
      channel.writeAndFlush(ByteBuffer(), promise: nil)
      return outcome
    }.whenComplete { result in
      switch result {
      case .success:
        self.hasAnswered.store(true, ordering: .relaxed)
        attempt.finish(.passing("UDP connect \(self.address): Success"))
      case .failure(let error): attempt.finish(.critical((error as? NetworkFailure)?.text ?? "\(error)"))
      }
    }
    return attempt
  }

  private func resolve(_ place: HostPort, on loop: any EventLoop) -> EventLoopFuture<SocketAddress> {
    if let address = place.numeric { return loop.makeSucceededFuture(address) }
    // The system's resolver blocks its thread.
    return NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
      try SocketAddress.makeAddressResolvingHost(place.host, port: place.port)
    }.flatMapErrorThrowing { _ in throw NetworkFailure("dial udp: lookup \(place.host): no such host") }
  }
}

private final class AnswerReader: ChannelInboundHandler, Conversation {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>

  private let answered: EventLoopPromise<Void>

  var outcome: EventLoopFuture<Void> { answered.futureResult }

  init(_ loop: any EventLoop) { answered = loop.makePromise() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { answered.succeed() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    answered.fail(NetworkFailure.reading("udp", context.channel, error))
  }

  func handlerRemoved(context: ChannelHandlerContext) { answered.fail(NetworkFailure.endOfStream) }
}
