import ConsulClient
import Model

/// `consul exec`: runs a command on all agents of a datacenter, or some, that allow it.
enum ExecCommand {
  private static let prefix = Flag.string(
    "prefix", default: RemoteJob.defaultPrefix, "Prefix of the keys in which the command and its output lie.")
  private static let shell = Flag.bool("shell", default: true, "Run the command by a shell.")
  private static let verbose = Flag.bool("verbose", "Tell each step.")
  private static let wait = Flag.duration(
    "wait", default: .seconds(1), "How long no agent may tell anything before the command counts as done everywhere.")
  private static let replication = Flag.duration(
    "wait-repl", default: .milliseconds(200), "How long the command may take to reach all servers.")

  static var command: Command {
    Command(
      usage: "Usage: consul exec [options] [-|command...]",
      about: """
        Runs a command on the agents of the datacenter, on all of them or those that expressions name, and shows what it
        prints there. With - the standard input is run as a script. Agents take part only if their configuration allows
        it with disable_remote_exec = false. Output goes through the servers: keep it short.

            $ consul exec -service=web uptime
        """,
      clientFlags: ClientFlags.query,
      flags: EventTarget.flags + [prefix.any, shell.any, verbose.any, wait.any, replication.any],
      startsProgram: true,
      run: run)
  }

  @Sendable
  private static func run(_ invocation: Invocation) async throws -> Int32 {
    let job = try job(invocation)
    let target = try EventTarget.target(invocation)
    let client = try invocation.client()
    _ = try await explaining("Error querying Consul agent") { try await client.agent.describe() }
    let execution = RemoteExecution(
      client: client, job: job, prefix: invocation[prefix], target: target)
    let progress = try await Interrupts.cancelling {
      try await explaining("Failed to run the command") {
        try await execution.run(replication: invocation[replication].duration) {
          show($0, invocation)
        }
      }
    }
    invocation.console.out("\(progress.codes.count) / \(progress.begun.count) node(s) completed / acknowledged")
    return progress.hasFailures ? 2 : 0
  }

  private static func job(_ invocation: Invocation) throws -> RemoteJob {
    var job = RemoteJob()
    job.wait = invocation[wait]
    switch invocation.arguments {
    case []: throw CommandFailure("Must specify a command to execute", showsHelp: true)
    case ["-"]:
      job.script = try invocation.console.readInput()
      guard !job.script.isEmpty else { throw CommandFailure("Must specify a command to execute", showsHelp: true) }
    case let words where invocation[shell]: job.command = words.joined(separator: " ")
    case let words: job.arguments = words
    }
    return job
  }

  private static func show(_ answer: RemoteJob.Answer, _ invocation: Invocation) {
    switch answer {
    case .begun(let node):
      if invocation[verbose] { invocation.console.out("    \(node): acknowledged event") }
    case .output(let node, let bytes):
      var text = String(decoding: bytes, as: UTF8.self)
      if text.isEmpty { return }
      if text.hasSuffix("\n") { text.removeLast() }
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        invocation.console.out("    \(node): \(line)")
      }
    case .ended(let node, let code):
      invocation.console.out("==>  \(node): finished with exit code \(code)")
    }
  }
}
