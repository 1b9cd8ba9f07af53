// Gossip: which nodes are in a pool, which of them are alive, and the news that they spread among themselves.
//
//   GossipPool ──► GossipReactor ──► SerfCore ──► SwimCore       who is there (pure values, no I/O)
//                       │               │             │
//                       │               │             └──► PacketCodec   bytes: label, encryption, checksum, compression
//                       │               └──► members, intents, user events, queries, keys, coordinates, snapshot
//                       └──► one event loop with a UDP and a TCP socket, one thread for files
//
// What it owns: the table of members, failure detection, Lamport clocks, the keys of encryption, network coordinates, the
// snapshot file that helps a node to return, and the bytes of memberlist 0.5 and Serf 0.10.
//
// What it must not know: what tags mean (servers, datacenters), the catalog, Raft, HTTP, configuration files. Who may be
// a member is decided by a function that the pool is given.
//
// Where to start reading: `SwimCore` tells dead nodes from living ones (`Membership/`, one file per duty); `SerfCore` adds
// what members say of themselves and to each other (`Serf/`). Both are values without a clock: the simulations in the tests
// run the code of production under virtual time, loss and partitions, from a seed. `Driver/` connects them to sockets.
//
// References in comments: wire/gossip.md describes the bytes and rules; SWIM is Das, Gupta, Motivala, "SWIM: Scalable
// Weakly-consistent Infection-style Process Group Membership Protocol" (2002); Lifeguard is Dadgar, Phillips, Currey,
// "Lifeguard: Local Health Awareness for More Accurate Failure Detection" (2018).
