import Synchronization

@testable import ConsulClient

/// Answers each request with what a closure says, and remembers the requests.
final class RecordingTransport: Transport {
  private let requests = Mutex<[WireRequest]>([])
  private let answer: @Sendable (WireRequest) throws -> APIResponse

  init(_ answer: @escaping @Sendable (WireRequest) throws -> APIResponse) {
    self.answer = answer
  }

  func send(_ request: WireRequest) async throws -> APIResponse {
    requests.withLock { $0.append(request) }
    return try answer(request)
  }

  var sent: [WireRequest] { requests.withLock { $0 } }
}

extension ConsulClient {
  convenience init(_ transport: any Transport, configuration: ClientConfiguration = ClientConfiguration()) {
    self.init(configuration, token: configuration.token, transport: transport)
  }
}

extension APIResponse {
  static func json(_ text: String, status: Int = 200, index: UInt64? = nil) -> APIResponse {
    APIResponse(
      status: status, headers: index.map { [("X-Consul-Index", String($0))] } ?? [], body: Array(text.utf8))
  }
}

/// Numbers that are the same for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
