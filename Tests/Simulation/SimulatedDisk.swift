import Glibc
import Synchronization

@testable import Consensus

/// A disk in memory that does what real ones may do: at a crash it loses writes that were not synchronised, in any
/// combination of sectors; it fails; it fills up. Everything follows from its seed.
final class SimulatedDisk: Disk {
  /// What goes wrong besides crashes. Probabilities are per operation, in 1/1000.
  struct Faults: Sendable {
    var syncFailure = 0
    var writeFailure = 0
    /// Bytes that fit on the disk.
    var capacity = Int.max
    /// Says "synchronised" without having done so: what the checker has to notice.
    var lies = false
  }

  static let sectorBytes = 512

  struct State: Sendable {
    var random: SeededRandom
    var faults = Faults()
    var files: [Int: Inode] = [:]
    var nextInode = 1
    /// What a program sees, and what is certain to be there after a crash.
    var names: [String: Entry] = ["/": .directory]
    var durableNames: [String: Entry] = ["/": .directory]
    /// Changes of names that are not durable yet, in order, by directory.
    var pendingNames: [String: [NameChange]] = [:]
    var locked: Set<String> = []
    /// Operations until the crash; nil: none planned.
    var crashCountdown: Int?
    var isCrashed = false
    /// Number of failures that were reported to the program.
    var failureCount = 0
    /// Open files of an earlier life are dead.
    var generation = 0
  }

  enum Entry: Sendable, Equatable {
    case directory
    case file(Int)
  }

  enum NameChange: Sendable {
    case set(String, Entry)
    case clear(String)
    /// A file, or a directory with all that is in it.
    case move(String, String)

    func moved(from: String, to: String) -> NameChange {
      func moved(_ path: String) -> String { path.hasPrefix(from + "/") ? to + path.dropFirst(from.count) : path }
      return switch self {
      case .set(let path, let entry): .set(moved(path), entry)
      case .clear(let path): .clear(moved(path))
      case .move(let source, let target): .move(moved(source), moved(target))
      }
    }
  }

  struct Inode: Sendable {
    /// What a program reads.
    var content: [UInt8] = []
    /// What the platters hold.
    var durable: [UInt8] = []
    var pending: [PendingWrite] = []
    /// A sync failed: the cache shows what never arrived, until the pages are evicted.
    var hasFailedSync = false
  }

  struct PendingWrite: Sendable {
    var offset: Int
    var bytes: [UInt8]
  }

  let state: Mutex<State>

  init(seed: UInt64, faults: Faults = Faults()) {
    var state = State(random: SeededRandom(seed: seed))
    state.faults = faults
    self.state = Mutex(state)
  }

  // MARK: For the simulation

  var isCrashed: Bool { state.withLock { $0.isCrashed } }
  var failureCount: Int { state.withLock { $0.failureCount } }

  /// Where its random choices have arrived: equal for runs that went the same way.
  var fingerprint: UInt64 {
    state.withLock { state in
      var random = state.random
      return random.next()
    }
  }

  func planCrash(afterOperations count: Int) { state.withLock { $0.crashCountdown = count } }

  func setFaults(_ faults: Faults) { state.withLock { $0.faults = faults } }

  /// From now on nothing goes wrong any more.
  func heal() {
    state.withLock { state in
      state.faults = Faults()
      state.crashCountdown = nil
    }
  }

  /// The machine loses power: what was not synchronised survives in part, or not at all.
  func losePower() {
    state.withLock { state in
      // In a fixed order, or a seed would not replay.
      for id in state.files.keys.sorted() {
        guard var inode = state.files[id] else { continue }
        state.persistSome(of: &inode)
        inode.content = inode.durable
        inode.hasFailedSync = false
        state.files[id] = inode
      }
      // A directory that was never there cannot hold anything, so parents come first.
      for directory in state.pendingNames.keys.sorted() {
        guard let changes = state.pendingNames[directory], !changes.isEmpty else { continue }
        // File systems keep the order of changes within a directory.
        let survivors = Int.random(in: 0...changes.count, using: &state.random)
        for change in changes.prefix(survivors) { state.durableNames.apply(change) }
      }
      state.pendingNames = [:]
      state.names = state.durableNames
      state.restart()
    }
  }

  /// The process ends; what it wrote stays in the cache of the operating system.
  func killProcess() {
    state.withLock { state in
      for id in state.files.keys.sorted() {
        guard var inode = state.files[id], inode.hasFailedSync, Bool.random(using: &state.random) else { continue }
        inode.content = inode.durable
        for write in inode.pending { inode.content.place(write.bytes[...], at: write.offset) }
        inode.hasFailedSync = false
        state.files[id] = inode
      }
      state.restart()
    }
  }

  /// Inverts one bit of a file, on the platters and in the cache.
  func flip(bit: Int, at offset: Int, of path: String) {
    state.withLock { state in
      guard case .file(let id)? = state.names[path], var inode = state.files[id], offset < inode.content.count else {
        return
      }
      inode.content[offset] ^= 1 << UInt8(bit)
      if offset < inode.durable.count { inode.durable[offset] ^= 1 << UInt8(bit) }
      state.files[id] = inode
    }
  }

  func content(of path: String) -> [UInt8]? {
    state.withLock { state in
      guard case .file(let id)? = state.names[path] else { return nil }
      return state.files[id]?.content
    }
  }

  func setContent(_ bytes: [UInt8], of path: String) {
    state.withLock { state in
      guard case .file(let id)? = state.names[path] else { return }
      state.files[id]?.content = bytes
      state.files[id]?.durable = bytes
      state.files[id]?.pending = []
    }
  }

  // MARK: Disk

  func createDirectory(_ path: String) throws(DiskError) {
    try perform(.createDirectory, path) { state in
      var prefix = ""
      for component in path.split(separator: "/") {
        let parent = prefix.isEmpty ? "/" : prefix
        prefix += "/" + component
        if state.names[prefix] == nil { state.change(parent, .set(prefix, .directory)) }
      }
    }
  }

  func list(_ path: String) throws(DiskError) -> [String] {
    try perform(.list, path) { state in
      state.names.keys.filter { $0.hasPrefix(path + "/") && !$0.dropFirst(path.count + 1).contains("/") }
        .map { String($0.dropFirst(path.count + 1)) }.sorted()
    }
  }

  func exists(_ path: String) throws(DiskError) -> Bool {
    try perform(.open, path) { $0.names[path] != nil }
  }

  func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
    let id = try perform(.open, path) { state -> Int? in
      if case .file(let id)? = state.names[path] {
        if case .create = mode {
          state.files[id]?.content = []
          state.files[id]?.durable = []
          state.files[id]?.pending = []
        }
        return id
      }
      guard case .create = mode else { return nil }
      let id = state.nextInode
      state.nextInode += 1
      state.files[id] = Inode()
      state.change(parent(of: path), .set(path, .file(id)))
      return id
    }
    guard let id else { throw DiskError(.open, path, code: ENOENT, message: "No such file or directory") }
    return SimulatedFile(disk: self, id: id, path: path, generation: state.withLock { $0.generation })
  }

  func rename(_ from: String, to: String) throws(DiskError) {
    try perform(.rename, from) { state in
      guard state.names[from] != nil else { return }
      state.change(parent(of: from), .move(from, to))
      // Changes within a renamed directory stay its own.
      for directory in state.pendingNames.keys where directory == from || directory.hasPrefix(from + "/") {
        guard let changes = state.pendingNames.removeValue(forKey: directory) else { continue }
        state.pendingNames[to + directory.dropFirst(from.count)] = changes.map { $0.moved(from: from, to: to) }
      }
    }
  }

  func remove(_ path: String) throws(DiskError) {
    try perform(.remove, path) { state in
      if state.names[path] != nil { state.change(parent(of: path), .clear(path)) }
    }
  }

  func synchronizeDirectory(_ path: String) throws(DiskError) {
    try perform(.synchronize, path, mayFail: true) { state in
      guard !state.faults.lies else { return }
      for change in state.pendingNames[path] ?? [] { state.durableNames.apply(change) }
      state.pendingNames[path] = nil
    }
  }

  func lock(_ path: String) throws(DiskError) -> (any DiskLock)? {
    let isFree = try perform(.lock, path) { $0.locked.insert(path).inserted }
    return isFree ? SimulatedLock(disk: self, path: path) : nil
  }

  fileprivate func unlock(_ path: String) { state.withLock { _ = $0.locked.remove(path) } }

  /// Counts the operation, crashes or fails if that is due, else carries it out.
  fileprivate func perform<T: Sendable>(
    _ operation: DiskError.Operation, _ path: String, mayFail: Bool = false, generation: Int? = nil,
    _ body: (inout State) -> T
  ) throws(DiskError) -> T {
    let result = state.withLock { state -> Result<T, DiskError> in
      if state.isCrashed || (generation ?? state.generation) != state.generation {
        return .failure(DiskError(operation, path, code: EIO, message: "the machine has crashed"))
      }
      if let countdown = state.crashCountdown {
        state.crashCountdown = countdown - 1
        if countdown <= 0 {
          state.isCrashed = true
          // Half-way through: the operation may have had its effect without anybody knowing.
          if operation != .synchronize, Bool.random(using: &state.random) { _ = body(&state) }
          return .failure(DiskError(operation, path, code: EIO, message: "the machine crashes"))
        }
      }
      if mayFail, operation == .synchronize, state.chance(state.faults.syncFailure) {
        state.failureCount += 1
        return .failure(DiskError(operation, path, code: EIO, message: "Input/output error"))
      }
      return .success(body(&state))
    }
    return try result.get()
  }
}

extension [String: SimulatedDisk.Entry] {
  fileprivate mutating func apply(_ change: SimulatedDisk.NameChange) {
    switch change {
    case .set(let path, let entry): self[path] = entry
    case .clear(let path): self[path] = nil
    case .move(let from, let to):
      for path in keys.filter({ $0 == from || $0.hasPrefix(from + "/") }) {
        let entry = removeValue(forKey: path)
        self[to + path.dropFirst(from.count)] = entry
      }
    }
  }
}

private func parent(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
  return String(path[..<slash])
}

extension SimulatedDisk.State {
  fileprivate mutating func chance(_ perMille: Int) -> Bool {
    perMille > 0 && Int.random(in: 0..<1000, using: &random) < perMille
  }

  fileprivate mutating func change(_ directory: String, _ change: SimulatedDisk.NameChange) {
    names.apply(change)
    pendingNames[directory, default: []].append(change)
  }

  fileprivate mutating func restart() {
    locked = []
    crashCountdown = nil
    isCrashed = false
    generation += 1
    // Files without a name are gone with the process.
    var named = Set<Int>()
    for case .file(let id) in names.values { named.insert(id) }
    for case .file(let id) in durableNames.values { named.insert(id) }
    for change in pendingNames.values.joined() { if case .set(_, .file(let id)) = change { named.insert(id) } }
    files = files.filter { named.contains($0.key) }
  }

  /// Lets an arbitrary part of the unsynchronised writes reach the platters: each sector for itself, some torn.
  fileprivate mutating func persistSome(of inode: inout SimulatedDisk.Inode) {
    let share = [0, 1, 500, 900, 1000].randomElement(using: &random) ?? 500
    for write in inode.pending {
      var start = write.offset
      let end = write.offset + write.bytes.count
      while start < end {
        let sectorEnd = min(end, (start / SimulatedDisk.sectorBytes + 1) * SimulatedDisk.sectorBytes)
        defer { start = sectorEnd }
        guard chance(share) else { continue }
        var kept = sectorEnd - start
        if chance(50) { kept = Int.random(in: 0...kept, using: &random) }
        inode.durable.place(write.bytes[(start - write.offset)..<(start - write.offset + kept)], at: start)
      }
    }
    inode.pending = []
  }
}

extension [UInt8] {
  fileprivate mutating func place(_ bytes: ArraySlice<UInt8>, at offset: Int) {
    if offset + bytes.count > count { append(contentsOf: repeatElement(0, count: offset + bytes.count - count)) }
    replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }
}

private final class SimulatedFile: DiskFile {
  private let disk: SimulatedDisk
  private let id: Int
  private let path: String
  private let generation: Int

  init(disk: SimulatedDisk, id: Int, path: String, generation: Int) {
    self.disk = disk
    self.id = id
    self.path = path
    self.generation = generation
  }

  func size() throws(DiskError) -> UInt64 {
    try disk.perform(.size, path, generation: generation) { UInt64($0.files[id]?.content.count ?? 0) }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(DiskError) {
    let copy = Array(bytes)
    let failure = try disk.perform(.write, path, generation: generation) { state -> DiskError? in
      guard var inode = state.files[id] else { return nil }
      state.files[id] = nil
      defer { state.files[id] = inode }
      let grown = max(0, Int(offset) + copy.count - inode.content.count)
      if grown > 0, state.faults.capacity < Int.max {
        let used = state.files.values.reduce(inode.content.count) { $0 + $1.content.count }
        if used + grown > state.faults.capacity {
          state.failureCount += 1
          return DiskError(.write, path, code: ENOSPC, message: "No space left on device")
        }
      }
      var written = copy[...]
      let fails = state.chance(state.faults.writeFailure)
      if fails { written = copy.prefix(Int.random(in: 0...copy.count, using: &state.random)) }
      inode.content.place(written, at: Int(offset))
      inode.pending.append(SimulatedDisk.PendingWrite(offset: Int(offset), bytes: Array(written)))
      guard fails else { return nil }
      state.failureCount += 1
      return DiskError(.write, path, code: EIO, message: "Input/output error")
    }
    if let failure { throw failure }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
    let wanted = buffer.count
    let bytes = try disk.perform(.read, path, generation: generation) { state -> [UInt8] in
      let content = state.files[id]?.content ?? []
      let start = min(Int(offset), content.count)
      return Array(content[start..<min(start + wanted, content.count)])
    }
    buffer.copyBytes(from: bytes)
    return bytes.count
  }

  func synchronize() throws(DiskError) {
    let failure = try disk.perform(.synchronize, path, generation: generation) { state -> DiskError? in
      guard var inode = state.files[id], !state.faults.lies else { return nil }
      state.files[id] = nil
      defer { state.files[id] = inode }
      if state.chance(state.faults.syncFailure) {
        // As on Linux: the pages count as clean afterwards, although they are not on the disk.
        state.persistSome(of: &inode)
        inode.hasFailedSync = true
        state.failureCount += 1
        return DiskError(.synchronize, path, code: EIO, message: "Input/output error")
      }
      for write in inode.pending { inode.durable.place(write.bytes[...], at: write.offset) }
      inode.pending = []
      return nil
    }
    if let failure { throw failure }
  }

  func close() {}
}

private final class SimulatedLock: DiskLock {
  private let disk: SimulatedDisk
  private let path: String

  init(disk: SimulatedDisk, path: String) {
    self.disk = disk
    self.path = path
  }

  func release() { disk.unlock(path) }
}
