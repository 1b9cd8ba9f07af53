extension Pattern {
  /// What the first match in `text` and each of its groups matched, the whole match first; groups that took no part are "".
  /// Nil without a match. Of several matches at the same place the one that a backtracking matcher would find first counts.
  public func groups(in text: String) -> [String]? {
    let scalars = Array(text.unicodeScalars)
    var machine = GroupMachine(program: program, text: scalars, slotCount: 2 * (groupCount + 1))
    guard let slots = machine.run() else { return nil }
    return (0...groupCount).map { group in
      guard let start = slots[2 * group], let end = slots[2 * group + 1], start <= end else { return "" }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[start..<end])
      return String(view)
    }
  }
}

/// Pike's virtual machine: every thread carries the places that it noted, and threads stand in the order of their priority.
private struct GroupMachine {
  typealias Slots = [Int?]

  let program: [Pattern.Instruction]
  let text: [UnicodeScalar]
  let slotCount: Int

  private struct Threads {
    var set: Pattern.Threads
    /// The slots of each thread of `set`, in its order.
    var slots: [Slots] = []

    init(_ count: Int) { set = Pattern.Threads(count) }

    mutating func clear() {
      set.clear()
      slots.removeAll(keepingCapacity: true)
    }
  }

  mutating func run() -> Slots? {
    var now = Threads(program.count)
    var next = Threads(program.count)
    var found: Slots?
    for place in 0...text.count {
      if found == nil {
        var slots = Slots(repeating: nil, count: slotCount)
        slots[0] = place
        add(0, slots, at: place, to: &now)
      }
      if now.set.list.isEmpty { break }
      step(now, at: place, &next, &found)
      swap(&now, &next)
      next.clear()
    }
    return found
  }

  /// Runs every thread over one character. A match ends those of lower priority.
  private func step(_ now: Threads, at place: Int, _ next: inout Threads, _ found: inout Slots?) {
    for (thread, instruction) in now.set.list.enumerated() {
      switch program[instruction] {
      case .match:
        var slots = now.slots[thread]
        slots[1] = place
        found = slots
        return
      case .characters(let characters):
        guard place < text.count, characters.contains(text[place]) else { continue }
        add(instruction + 1, now.slots[thread], at: place + 1, to: &next)
      case .jump, .split, .assert, .save: continue
      }
    }
  }

  /// Adds an instruction and all that it leads to without reading, what is preferred first.
  private func add(_ start: Int, _ slots: Slots, at place: Int, to threads: inout Threads) {
    var pending = [(start, slots)]
    while let (instruction, slots) = pending.popLast() {
      guard threads.set.insert(instruction) else { continue }
      threads.slots.append(slots)
      switch program[instruction] {
      case .match, .characters: break
      case .jump(let target): pending.append((target, slots))
      case .split(let first, let second):
        pending.append((second, slots))
        pending.append((first, slots))
      case .assert(let assertion):
        if assertion.holds(in: text, at: place) { pending.append((instruction + 1, slots)) }
      case .save(let slot):
        var noted = slots
        if noted.indices.contains(slot) { noted[slot] = place }
        pending.append((instruction + 1, noted))
      }
    }
  }
}
