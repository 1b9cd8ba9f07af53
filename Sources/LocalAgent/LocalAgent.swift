import AccessControl
import Checks
import Logging
import Model
import NIOCore
import Server
import Synchronization

/// # LocalAgent
///
/// What one agent knows of its own services and checks, and how the catalog is made to agree with it.
///
///     definitions ── Registration ──▶ LocalState ──▶ what the API shows
///     (files, API,                     ▲      │
///      Persistence)      check results ┘      └─ Sync ──▶ catalog, through `Backend`
///
/// `State`, `Registration` and `Sync`'s schedule are values without I/O; this class and `Drivers` connect them to timers,
/// check runners, files and servers. The room must not know requests, tokens' rights, or who asks.
public final class LocalAgent: Sendable {
}
