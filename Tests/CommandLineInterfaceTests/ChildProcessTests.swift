import Testing

@testable import CommandLineInterface

struct ChildProcessTests {
  @Test(
    "The end of a program is told in the words of the reference",
    arguments: [
      ("exit 0", nil), ("exit 7", "exit status 7"), ("kill -9 $$", "signal: killed"),
      ("kill -15 $$", "signal: terminated"),
    ] as [(String, String?)])
  func outcomes(script: String, complaint: String?) async {
    let child = ChildProcess(words: [script], shell: "/bin/sh")
    #expect(await child.run(input: .none).complaint == complaint)
  }

  @Test("Words are joined for a shell, and kept apart without one")
  func words() async {
    #expect(await ChildProcess(words: ["test", "1", "=", "1"], shell: "/bin/sh").run(input: .none) == .exited(0))
    #expect(await ChildProcess(words: ["test", "a b", "=", "a b"], shell: nil).run(input: .none) == .exited(0))
  }

  @Test("A program reads the bytes that are meant for it, and finds variables in its environment")
  func inputAndEnvironment() async {
    let child = ChildProcess(
      words: [#"test "$(cat)" = payload && test "$CONSUL_INDEX" = 7 && test -n "$PATH""#], shell: "/bin/sh",
      environment: ["CONSUL_INDEX": "7"])
    #expect(await child.run(input: .bytes(Array("payload\n".utf8))) == .exited(0))
  }

  @Test("A program that does not exist is named")
  func missing() async {
    #expect(
      await ChildProcess(words: ["no-such-program"], shell: nil).run(input: .none).complaint
        == #"exec: "no-such-program": executable file not found in $PATH"#)
  }

  @Test("A program that ignores its input is none the worse for it")
  func unreadInput() async {
    let child = ChildProcess(words: ["true"], shell: "/bin/sh")
    #expect(await child.run(input: .bytes([UInt8](repeating: 65, count: 1 << 20))) == .exited(0))
  }

  @Test("A cancelled run ends the program and tells how it ended")
  func cancellation() async {
    let run = Task { await ChildProcess(words: ["sleep 60"], shell: "/bin/sh").run(input: .none) }
    run.cancel()
    let outcome = await run.value
    #expect(outcome != .exited(0))
  }
}
