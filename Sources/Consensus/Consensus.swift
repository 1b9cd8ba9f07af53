// Consensus: one replicated, durable log (Raft) and the machine that applies it.
//
//   propose ──► RaftNode ──► Replica ──► RaftCore          who leads, what is committed (pure value, no I/O)
//                 │             │
//                 │             ├──► LogStorage, TermStorage, SnapshotStorage ──► Disk
//                 │             ├──► RaftTransport                               (other servers)
//                 └─────────────┴──► StateMachine.apply, completions
//
// What it owns: terms and votes, the log, its segments on disk, snapshots as files, the order in which committed
// entries reach the state machine, the threads that do this.
//
// What it must not know: what a command means (bytes in, any result out), HTTP, RPC framing, sockets, ACLs.
//
// Where to start reading: `RaftCore` is the algorithm (`step(event, now) -> [effect]`), one file per duty in `Core/`.
// `Replica` connects one core to storage and can be driven step by step, so that the simulation in the tests runs the
// very code of production. `RaftNode` adds the threads. `Storage/` is the write-ahead log and its neighbours.
//
// "The paper" in comments is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (extended
// version); "the dissertation" is Ongaro, "Consensus: Bridging Theory and Practice".

/// Number of an election period. It only grows; at most one leader exists per term.
public typealias Term = UInt64

/// Position in the log. The first entry has index 1; 0 means "before the log".
public typealias LogIndex = UInt64

/// Identity of a server (its node id), stable across address changes.
public typealias ServerID = String

/// Advertised `host:port` of a server's RPC listener.
public typealias ServerAddress = String
