import Dispatch
import Glibc
import Synchronization

@testable import Simulation
@testable import SimulatedDatacenter

/// # Simulate
///
/// Runs whole datacenters in virtual time, one for each seed, and prints the seeds in which a promise was broken.
///
///     simulate [--first SEED] [--seeds COUNT] [--jobs COUNT] [--scenario NAME]
///
/// Without a scenario each seed has one of all, in turn. Ends with 1 if a seed failed.
@main
enum Simulate {
  private struct Outcome {
    var figures = Figures()
    var failures = 0
  }

  static func main() {
    // A seed has to go the same way each time.
    if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
      setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
      execv("/proc/self/exe", CommandLine.unsafeArgv)
    }
    var first: UInt64 = 0
    var count: UInt64 = 1000
    var jobs = 1
    var scenario: Scenario?
    var words = CommandLine.arguments.dropFirst()
    while let word = words.popFirst() {
      guard let value = words.popFirst() else { usage() }
      switch word {
      case "--first": first = UInt64(value) ?? first
      case "--seeds": count = UInt64(value) ?? count
      case "--jobs": jobs = max(1, Int(value) ?? jobs)
      case "--scenario":
        guard let known = Scenario(rawValue: value) else { usage() }
        scenario = known
      default: usage()
      }
    }
    let seeds = first..<first &+ count
    say("seeds \(seeds.lowerBound) to \(seeds.upperBound - 1), \(scenario?.rawValue ?? "all scenarios")")
    let outcome = run(seeds, jobs: jobs, scenario: scenario)
    print(outcome.figures)
    if outcome.failures > 0 {
      print("\(outcome.failures) seeds FAILED")
      exit(1)
    }
  }

  private static func run(_ seeds: Range<UInt64>, jobs: Int, scenario: Scenario?) -> Outcome {
    let next = Atomic<UInt64>(seeds.lowerBound)
    let outcome = Mutex(Outcome())
    DispatchQueue.concurrentPerform(iterations: jobs) { _ in
      while true {
        let seed = next.add(1, ordering: .relaxed).oldValue
        guard seed < seeds.upperBound else { return }
        let chosen = scenario ?? Scenario(seed: seed)
        do {
          let figures = try chosen.run(seed: seed)
          let soFar = outcome.withLock {
            $0.figures += figures
            return $0.figures.seeds
          }
          if soFar % 1000 == 0 { say("\(soFar) seeds") }
        } catch {
          outcome.withLock { $0.failures += 1 }
          say("FAILED \(chosen.rawValue): \(error)")
        }
      }
    }
    return outcome.withLock { $0 }
  }

  /// Prints a line that is seen at once, also in a file.
  private static func say(_ line: String) {
    print(line)
    fflush(nil)
  }

  private static func usage() -> Never {
    print(
      "usage: simulate [--first SEED] [--seeds COUNT] [--jobs COUNT] "
        + "[--scenario \(Scenario.allCases.map(\.rawValue).joined(separator: "|"))]")
    exit(2)
  }
}
