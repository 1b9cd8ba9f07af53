import Glibc

/// Tells, when the process dies, which input it was at. The handlers of signals may use hardly anything: they write bytes
/// that are prepared before each input.
enum Witness {
  /// Seconds of the processor that one input may take; a machine that is busy with something else proves nothing.
  private static let patience = 10
  /// Kilobytes that the process may use.
  private static let memoryLimit = 1_500_000

  // Written by the one thread of the program only; read by handlers that interrupt it.
  nonisolated(unsafe) private static var memory = UnsafeMutableRawBufferPointer.allocate(
    byteCount: 4 << 20, alignment: 1)
  nonisolated(unsafe) private static var count = 0
  nonisolated(unsafe) private static var label: UnsafeMutablePointer<CChar>?
  nonisolated(unsafe) private static var labelCount = 0

  static func install() {
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGPROF] {
      signal(number) { Witness.testify($0) }
    }
  }

  /// The input that is about to be taken.
  static func isAt(_ target: String, seed: UInt64, _ input: [UInt8]) {
    if let label { free(label) }
    let text = "\(target), seed \(seed)"
    label = strdup(text)
    labelCount = text.utf8.count
    count = min(input.count, memory.count)
    memory.copyBytes(from: input.prefix(count))
    limit(seconds: patience)
  }

  static func isDone() { limit(seconds: 0) }

  private static func limit(seconds: Int) {
    var timer = itimerval(it_interval: timeval(), it_value: timeval(tv_sec: seconds, tv_usec: 0))
    setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
  }

  /// Whether the process has taken more memory than its inputs can need.
  static var isTooLarge: Bool {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return usage.ru_maxrss > memoryLimit
  }

  /// Ends the program with what is known of the input under way.
  static func report(_ reason: String) -> Never {
    print("\n\(reason)")
    fflush(nil)
    testify(0)
    exit(1)
  }

  private static func testify(_ number: Int32) {
    say(number == 0 ? "FAILED: " : number == SIGPROF ? "\nFAILED (took too long): " : "\nFAILED (crashed): ")
    if let label { write(STDOUT_FILENO, label, labelCount) }
    say("\ninput of ")
    sayNumber(count)
    say(" bytes, in hexadecimal:\n")
    sayBytes()
    say("\n")
    _exit(1)
  }

  private static func say(_ text: StaticString) { write(STDOUT_FILENO, text.utf8Start, text.utf8CodeUnitCount) }

  private static func sayNumber(_ number: Int) {
    var divisor = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      var digit = UInt8(ascii: "0") + UInt8(number / divisor % 10)
      write(STDOUT_FILENO, &digit, 1)
      divisor /= 10
    }
  }

  private static func sayBytes() {
    for index in 0..<count {
      for half in [memory[index] >> 4, memory[index] & 15] {
        var digit = half < 10 ? UInt8(ascii: "0") + half : UInt8(ascii: "a") + half - 10
        write(STDOUT_FILENO, &digit, 1)
      }
    }
  }
}
