import Model
import Testing

@testable import State

private func request(trailing: UInt64, cas: UInt64? = nil) -> Command {
  var request = AutopilotSetConfigRequest()
  request.config.maxTrailingLogs = trailing
  request.config.modifyIndex = cas ?? 0
  request.cas = cas != nil
  return .autopilot(request)
}

@Test func autopilotConfigurationKeepsItsFirstIndexAndTakesTheNewest() {
  let store = StateStore()
  store.write { transaction in
    #expect(transaction.apply(request(trailing: 1), index: 5) == .done)
    #expect(transaction.apply(request(trailing: 2), index: 7) == .done)
  }
  let stored = store.current.autopilotConfiguration?.value
  #expect(stored?.createIndex == 5)
  #expect(stored?.modifyIndex == 7)
  #expect(stored?.maxTrailingLogs == 2)
}

@Test func autopilotConfigurationIsReplacedOnlyAtTheExpectedIndex() {
  let store = StateStore()
  store.write { transaction in
    #expect(transaction.apply(request(trailing: 1, cas: 1), index: 4) == .bool(false))
    _ = transaction.apply(request(trailing: 1), index: 5)
    #expect(transaction.apply(request(trailing: 2, cas: 4), index: 6) == .bool(false))
    #expect(transaction.apply(request(trailing: 3, cas: 5), index: 7) == .bool(true))
  }
  #expect(store.current.autopilotConfiguration?.value.maxTrailingLogs == 3)
}

@Test func autopilotCommandsAndSnapshotsSurviveTheirEncoding() throws {
  let command = request(trailing: 9, cas: 3)
  #expect(try Command(decoding: command.encode()) == command)
  let store = StateStore()
  store.write { transaction in _ = transaction.apply(request(trailing: 42), index: 5) }
  var stream: [UInt8] = []
  try store.current.write { stream += $0 }
  let restored = StateStore()
  var rest = stream[...]
  try restored.restore { buffer in
    let count = min(buffer.count, rest.count)
    buffer.copyBytes(from: rest.prefix(count))
    rest = rest.dropFirst(count)
    return count
  }
  #expect(restored.current.autopilotConfiguration == store.current.autopilotConfiguration)
}
