import Model
import Synchronization

@testable import ConsulClient

/// Enough of an agent for locks: keys, sessions, check-and-set, and queries that wait for an index. Time does not pass; a
/// query that would wait is held until the next write, or until its task is cancelled.
final class FakeStore: Transport {
  struct State {
    var pairs: [String: KVPair] = [:]
    var sessions: [String: String] = [:]
    var index: UInt64 = 10
    /// Answers to give instead, in order.
    var failures: [APIResponse] = []
    var waiters: [AsyncStream<Void>.Continuation] = []
  }
  let state = Mutex(State())

  func send(_ request: WireRequest) async throws -> APIResponse {
    let parts = request.path.split(separator: "?", maxSplits: 1).map(String.init)
    var query: [String: String] = [:]
    for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let sides = pair.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      query[sides[0]] = sides.count > 1 ? sides[1] : ""
    }
    if request.method == "GET", let index = query["index"].flatMap({ UInt64($0) }) {
      await wait(beyond: index)
      try Task.checkCancellation()
    }
    return state.withLock { state in
      if parts[0].contains("/kv/"), request.method == "GET", !state.failures.isEmpty {
        return state.failures.removeFirst()
      }
      return Self.answer(request, path: parts[0], query, &state)
    }
  }

  /// Changes the state as an operator or another process would.
  func change(_ work: (inout State) -> Void) {
    state.withLock { state in
      work(&state)
      Self.wake(&state)
    }
  }

  private func wait(beyond index: UInt64) async {
    while !Task.isCancelled {
      let (stream, continuation) = AsyncStream<Void>.makeStream()
      let isReady = state.withLock { state in
        if state.index > index || !state.failures.isEmpty { return true }
        state.waiters.append(continuation)
        return false
      }
      if isReady { return }
      for await _ in stream {}
    }
  }

  private static func wake(_ state: inout State) {
    state.index += 1
    for waiter in state.waiters { waiter.finish() }
    state.waiters = []
  }

  private static func answer(
    _ request: WireRequest, path: String, _ query: [String: String], _ state: inout State
  ) -> APIResponse {
    let name = String(path.split(separator: "/", maxSplits: 2).last ?? "")
    switch (request.method, path) {
    case ("PUT", "/v1/session/create"):
      let id = "session-\(state.sessions.count + 1)"
      state.sessions[id] = String(decoding: request.body ?? [], as: UTF8.self)
      return .json(#"{"ID":"\#(id)"}"#)
    case ("PUT", let path) where path.hasPrefix("/v1/session/renew/"):
      return .json("[{}]", status: state.sessions[String(path.dropFirst(18))] == nil ? 404 : 200)
    case ("PUT", let path) where path.hasPrefix("/v1/session/destroy/"):
      let id = String(path.dropFirst(20))
      state.sessions[id] = nil
      for key in state.pairs.keys where state.pairs[key]?.session == id { state.pairs[key]?.session = nil }
      wake(&state)
      return .json("true")
    default: return keyValue(request, key: name, query, &state)
    }
  }

  private static func keyValue(
    _ request: WireRequest, key: String, _ query: [String: String], _ state: inout State
  ) -> APIResponse {
    let present = state.pairs[key]
    switch request.method {
    case "GET":
      let found = state.pairs.values.filter { query["recurse"] != nil ? $0.key.hasPrefix(key) : $0.key == key }
      return .json("[\(found.map(json).joined(separator: ","))]", status: found.isEmpty ? 404 : 200, index: state.index)
    case "DELETE":
      if let index = query["cas"], UInt64(index) != present?.modifyIndex { return .json("false") }
      state.pairs[key] = nil
    default:
      if let index = query["cas"], UInt64(index) != present?.modifyIndex ?? 0 { return .json("false") }
      if let session = query["acquire"], present?.session ?? session != session { return .json("false") }
      if let session = query["release"], present?.session != session { return .json("false") }
      var pair = KVPair(
        key: key, value: request.body ?? [], flags: query["flags"].flatMap { UInt64($0) } ?? 0,
        session: query["acquire"] ?? (query["release"] == nil ? present?.session : nil))
      pair.modifyIndex = state.index + 1
      state.pairs[key] = pair
    }
    wake(&state)
    return .json("true")
  }

  private static func json(_ pair: KVPair) -> String {
    let value = Base64.encode(pair.value)
    let session = pair.session.map { #","Session":"\#($0)""# } ?? ""
    return
      #"{"Key":"\#(pair.key)","Value":"\#(value)","Flags":\#(pair.flags),"ModifyIndex":\#(pair.modifyIndex)\#(session)}"#
  }
}
