import Model
import Testing

@testable import CommandLineInterface

struct FlagTests {
  private static let loud = Flag.bool("loud", default: true, "")
  private static let detailed = Flag.bool("detailed", "")
  private static let name = Flag.string("name", "")
  private static let index = Flag.uint("index", "")
  private static let count = Flag.int("n", "")
  private static let wait = Flag.duration("wait", "")
  private static let tag = Flag.strings("tag", "")
  private static let meta = Flag.map("meta", "")
  private static let all = [
    loud.any, detailed.any, name.any, index.any, count.any, wait.any, tag.any, meta.any,
  ]

  private func parse(_ words: String...) throws -> (FlagValues, arguments: [String]) {
    try FlagParser.parse(words, flags: Self.all)
  }

  @Test("Flags are written with one or two hyphens, with the value after = or as the next word")
  func forms() throws {
    for words in [["-name=x"], ["--name=x"], ["-name", "x"], ["--name", "x"]] {
      let (values, arguments) = try FlagParser.parse(words + ["rest"], flags: Self.all)
      #expect(values[Self.name] == "x")
      #expect(arguments == ["rest"])
    }
  }

  @Test("A switch needs no value and never takes the next word")
  func switches() throws {
    let (values, arguments) = try parse("-detailed", "true")
    #expect(values[Self.detailed] && values[Self.loud])
    #expect(arguments == ["true"])
    #expect(try parse("-loud=false").0[Self.loud] == false)
    #expect(try parse("-detailed=T").0[Self.detailed])
  }

  @Test("Parsing ends at the first word that is no flag, and at --, which is dropped")
  func ends() throws {
    #expect(try parse("a", "-detailed").arguments == ["a", "-detailed"])
    #expect(try parse("-detailed", "--", "-name", "--").arguments == ["-name", "--"])
    #expect(try parse("-detailed", "-").arguments == ["-"])
    #expect(try parse("").arguments == [""])
  }

  @Test("The last value of a flag wins, lists and maps collect")
  func repetition() throws {
    let (values, _) = try parse("-name=a", "-name=b", "-tag=x", "-tag", "y", "-meta=k=v=w", "-meta=l=", "-meta=k=z")
    #expect(values[Self.name] == "b")
    #expect(values[Self.tag] == ["x", "y"])
    #expect(values[Self.meta] == ["k": "z", "l": ""])
    #expect(values.has(Self.tag) && !values.has(Self.index))
  }

  @Test("A value may start with a hyphen, contain = or be empty")
  func unusualValues() throws {
    #expect(try parse("-name", "-x").0[Self.name] == "-x")
    #expect(try parse("-name=a=b").0[Self.name] == "a=b")
    #expect(try parse("-name=").0[Self.name] == "")
    #expect(try parse("-n", "-7").0[Self.count] == -7)
    #expect(try parse("-wait=1m30s").0[Self.wait] == .seconds(90))
  }

  @Test(
    "What is wrong is said in the words that scripts know",
    arguments: [
      (["-nonsense"], "flag provided but not defined: -nonsense"),
      (["--nonsense=1"], "flag provided but not defined: -nonsense"),
      (["-name"], "flag needs an argument: -name"),
      (["-index=x"], #"invalid value "x" for flag -index: parse error"#),
      (["-index=-1"], #"invalid value "-1" for flag -index: parse error"#),
      (["-index=18446744073709551616"], #"invalid value "18446744073709551616" for flag -index: value out of range"#),
      (["-wait=5"], #"invalid value "5" for flag -wait: parse error"#),
      (["-detailed=maybe"], #"invalid boolean value "maybe" for -detailed: parse error"#),
      (["-meta=x"], #"invalid value "x" for flag -meta: No '=' value in argument: x"#),
      (["---name=x"], "bad flag syntax: ---name=x"),
      (["-=x"], "bad flag syntax: -=x"),
    ])
  func complaints(words: [String], text: String) {
    let error = #expect(throws: FlagError.self) { try FlagParser.parse(words, flags: Self.all) }
    #expect(error?.text == text)
  }

  @Test("-h and -help ask for help", arguments: ["-h", "-help", "--help"])
  func help(word: String) {
    #expect(throws: FlagError.helpRequested) { try FlagParser.parse([word], flags: Self.all) }
  }

  @Test(
    "Integers are read in all notations",
    arguments: [
      ("0", 0), ("42", 42), ("0x2A", 42), ("0b101010", 42), ("0o52", 42), ("052", 42), ("1_000", 1000), ("-9", -9),
      ("+9", 9),
    ])
  func integers(text: String, number: Int) throws {
    #expect(try parseInteger(text) == number)
  }

  @Test("What is no integer is refused", arguments: ["", "-", "x", "1x", "0x", "09", "1.0", " 1", "_1", "1_", "١"])
  func noIntegers(text: String) {
    #expect(throws: FlagValueError.syntax) { try parseInteger(text) as Int }
  }

  @Test("No words of any kind end the program", arguments: [11, 12, 13, 14] as [UInt64])
  func noise(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let pieces = ["-", "--", "=", "name", "index", "n", "meta", "tag", "x", "0x", "9", "_", "é", " ", "\u{0}", "h"]
    for _ in 0..<2_000 {
      let words = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
        (0..<Int.random(in: 0...5, using: &generator)).map { _ in
          pieces[Int.random(in: 0..<pieces.count, using: &generator)]
        }.joined()
      }
      do {
        let (_, arguments) = try FlagParser.parse(words, flags: Self.all)
        #expect(words.suffix(arguments.count) == arguments[...], "seed \(seed): \(words)")
      } catch {
        #expect(!error.text.isEmpty, "seed \(seed): \(words)")
      }
    }
  }
}

/// Numbers that are the same for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
