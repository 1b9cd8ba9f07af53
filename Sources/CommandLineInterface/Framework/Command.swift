import ConsulClient

/// One command: what it is called, which flags it takes, and what it does.
struct Command: Sendable {
  /// `Usage: consul kv get [options] [KEY_OR_PREFIX]`
  let usage: String
  /// What it is for, with examples; shown below the usage line.
  let about: String
  /// The flags that say how to reach an agent; empty for a command that needs none.
  var clientFlags: [AnyFlag] = []
  var flags: [AnyFlag] = []
  /// Whether the words after the flags belong to a program that it starts, which may have a `-h` of its own.
  var startsProgram = false
  /// Does the work and returns the exit code. Throws `CommandFailure` or `ClientError`.
  let run: @Sendable (Invocation) async throws -> Int32

  /// Reads the flags and runs the command.
  func perform(_ words: [String], environment: Environment, console: Console) async -> Int32 {
    if !startsProgram && Self.asksForHelp(words) {
      console.out(Help.page(of: self))
      return 0
    }
    do {
      let (values, arguments) = try FlagParser.parse(words, flags: clientFlags + flags)
      return try await run(
        Invocation(values: values, arguments: arguments, environment: environment, console: console))
    } catch FlagError.helpRequested {
      console.out(Help.page(of: self))
      return 0
    } catch let error as FlagError {
      console.err(error.text)
      console.err(Help.flagList(clientFlags + flags))
    } catch let failure as CommandFailure {
      if failure.helpOnOutput { console.out(Help.page(of: self)) }
      console.err(failure.text)
      if failure.showsHelp { console.err("\n" + Help.page(of: self)) }
      return failure.code
    } catch is CancellationError {
      return 1
    } catch {
      console.err(describe(error))
    }
    return 1
  }

  private static func asksForHelp(_ words: [String]) -> Bool {
    words.prefix { $0 != "--" }.contains { $0 == "-h" || $0 == "-help" || $0 == "--help" }
  }
}

/// What one run of a command has at hand.
struct Invocation: Sendable {
  let values: FlagValues
  /// The words after the flags.
  let arguments: [String]
  let environment: Environment
  let console: Console

  subscript<Value>(flag: Flag<Value>) -> Value {
    values[flag]
  }
}

/// The end of a command that did not do what was asked.
struct CommandFailure: Error {
  let text: String
  var code: Int32 = 1
  /// The command's help follows the text.
  var showsHelp = false
  /// The command's help goes to standard output, before the text.
  var helpOnOutput = false

  init(_ text: String, code: Int32 = 1, showsHelp: Bool = false, helpOnOutput: Bool = false) {
    self.text = text
    self.code = code
    self.showsHelp = showsHelp
    self.helpOnOutput = helpOnOutput
  }
}

/// The text of any error that a command can meet.
func describe(_ error: any Error) -> String {
  switch error {
  case let error as ClientError: error.description
  case let error as FileError: error.description
  case let error as CommandFailure: error.text
  case let error as FlagValueError: error.text
  default: "\(error)"
  }
}

/// Runs `work`; what it throws becomes a failure whose text starts with `prefix`, or what `exception` makes of it.
func explaining<Result>(
  _ prefix: String, _ work: () async throws -> Result,
  unless exception: (any Error) -> CommandFailure? = { _ in nil }
) async throws -> Result {
  do {
    return try await work()
  } catch let error as CancellationError {
    throw error
  } catch {
    throw exception(error) ?? CommandFailure("\(prefix): \(describe(error))")
  }
}
