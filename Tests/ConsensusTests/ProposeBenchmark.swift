import Glibc
import Logging
import Synchronization
import Testing

@testable import Consensus

/// Not a test: figures for durable proposals on the real disk, printed when `PROCONSUL_BENCHMARK` names a directory there.
@Suite(.enabled(if: getenv("PROCONSUL_BENCHMARK") != nil)) struct ProposeBenchmark {
  @Test(arguments: [1, 2, 64, 256]) func throughput(proposers: Int) throws {
    guard let directory = getenv("PROCONSUL_BENCHMARK") else { return }
    let path = String(cString: directory) + "/propose-\(proposers)-\(getpid())"
    let leads = Promise<Bool>()
    var logger = Logger(label: "benchmark")
    logger.logLevel = .error
    let node = try RaftNode(
      options: RaftOptions(
        id: "a", address: "a:1", bootstrap: RaftConfiguration(servers: [RaftServer(id: "a", address: "a:1")]),
        logger: logger),
      storage: .open(dataDirectory: path), machine: CountingMachine()
    ) { _ in leads.fulfil(true) }
    _ = leads.wait()
    let count = proposers == 1 || proposers == 2 ? 20_000 : 400_000
    let command = [UInt8](repeating: 1, count: 256)
    let run = Run(node: node, command: command, remaining: count, latencies: count)
    let start = SystemClock.now()
    var usage = rusage()
    for _ in 0..<proposers { run.next() }
    run.done.waitUntil { $0 == proposers ? () : nil }
    let seconds = Double(SystemClock.now().since(start)) / 1e9
    getrusage(0, &usage)
    let sorted = run.latencies.withLock { $0.sorted() }
    print(
      "proposers \(proposers): \(Int(Double(count) / seconds))/s, p50 \(sorted[sorted.count / 2] / 1000) us, "
        + "p99 \(sorted[sorted.count * 99 / 100] / 1000) us, max RSS \(usage.ru_maxrss / 1024) MB")
    node.shutdown()
  }

  /// Each proposer waits for its answer before it proposes again, as a connection does.
  private final class Run: Sendable {
    let node: RaftNode
    let command: [UInt8]
    let remaining: Atomic<Int>
    let latencies: Mutex<[UInt64]>
    let done = Monitor(0)

    init(node: RaftNode, command: [UInt8], remaining: Int, latencies count: Int) {
      self.node = node
      self.command = command
      self.remaining = Atomic(remaining)
      var latencies: [UInt64] = []
      latencies.reserveCapacity(count)
      self.latencies = Mutex(latencies)
    }

    func next() {
      guard remaining.subtract(1, ordering: .relaxed).newValue >= 0 else {
        return done.withLockAndNotify { $0 += 1 }
      }
      let start = SystemClock.now()
      node.propose(command) { result in
        guard case .success = result else { preconditionFailure("a proposal failed") }
        let took = SystemClock.now().since(start)
        self.latencies.withLock { $0.append(took) }
        self.next()
      }
    }
  }
}

private final class CountingMachine: StateMachine {
  private let count = Mutex(0)

  func apply(_ entries: ArraySlice<LogEntry>, results: inout [any Sendable]) {
    for entry in entries where entry.kind == .command {
      results.append(
        count.withLock { count -> Int in
          count += 1
          return count
        })
    }
  }

  func snapshot() throws -> any StateSnapshotWriter { throw StateMachineError("nothing to save") }
  func restore(from reader: any SnapshotReader, prepared: (any PreparedState)?) throws {}
}
