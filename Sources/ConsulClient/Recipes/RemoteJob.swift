import Model

/// A command for agents to run (`consul exec`), and where it and the answers lie in the KV store:
///
///     <prefix>/<session>/job                what to run
///     <prefix>/<session>/<node>/ack         the agent has begun
///     <prefix>/<session>/<node>/out/00000   what was printed, in pieces; empty ones are signs of life
///     <prefix>/<session>/<node>/exit        the exit code
///
/// A user event tells agents of it. All keys belong to the session of whoever asks, and go with it.
public struct RemoteJob: Sendable, Equatable {
  /// The user event that tells of jobs.
  public static let event = "_rexec"
  public static let defaultPrefix = "_rexec"

  /// Words for a shell; "" where a program or a script is given.
  public var command = ""
  /// A program and its arguments, without a shell.
  public var arguments: [String] = []
  /// A script to be run by the shell.
  public var script: [UInt8] = []
  /// How long whoever asks waits for a sign of life.
  public var wait = GoDuration.seconds(1)

  public init() {}

  /// - Throws: `ClientError.malformedResponse` for bytes that are no job.
  public init(_ bytes: [UInt8]) throws(ClientError) {
    guard let json = try? Dynamic(json: bytes), json.object != nil else {
      throw .malformedResponse("a job that cannot be read")
    }
    command = json.text("Command")
    arguments = json["Args"]?.array?.compactMap(\.string) ?? []
    script = json.bytes("Script")
    wait = GoDuration(nanoseconds: json["Wait"]?.int ?? 0)
  }

  public var encoded: [UInt8] {
    var members = DynamicObject()
    if !command.isEmpty { members.append("Command", .string(command)) }
    if !arguments.isEmpty { members.append("Args", .array(arguments.map { .string($0) })) }
    if !script.isEmpty { members.append("Script", .string(Base64.encode(script))) }
    members.append("Wait", .int(wait.nanoseconds))
    return Dynamic.object(members).body
  }

  /// Where one job lies.
  public struct Place: Sendable, Equatable {
    public var prefix: String
    public var session: String

    public init(prefix: String, session: String) {
      self.prefix = prefix
      self.session = session
    }

    /// Reads the payload of an event; nil for one that tells of no job.
    public init?(payload: [UInt8]) {
      guard let json = try? Dynamic(json: payload), case let session = json.text("Session"), !session.isEmpty else {
        return nil
      }
      self.init(prefix: json.text("Prefix"), session: session)
    }

    public var payload: [UInt8] {
      Dynamic.object(DynamicObject([("Prefix", .string(prefix)), ("Session", .string(session))])).body
    }

    public var folder: String { "\(prefix)/\(session)/" }
    public var job: String { folder + "job" }
    public func ack(_ node: String) -> String { "\(folder)\(node)/ack" }
    public func exit(_ node: String) -> String { "\(folder)\(node)/exit" }
    public func output(_ node: String, _ number: Int) -> String {
      let digits = String(number, radix: 16)
      return "\(folder)\(node)/out/" + String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
  }

  /// What an agent tells.
  public enum Answer: Sendable, Equatable {
    case begun(node: String)
    case output(node: String, [UInt8])
    case ended(node: String, code: Int)

    /// Nil for entries that are no answers.
    public init?(_ pair: KVPair, in place: Place) {
      guard pair.key.hasPrefix(place.folder) else { return nil }
      let parts = pair.key.dropFirst(place.folder.count).split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count >= 2, case let node = String(parts[0]) else { return nil }
      switch (parts[1], parts.count) {
      case ("ack", 2): self = .begun(node: node)
      case ("out", 3): self = .output(node: node, pair.value)
      case ("exit", 2):
        guard let code = Int(String(decoding: pair.value, as: UTF8.self)) else { return nil }
        self = .ended(node: node, code: code)
      default: return nil
      }
    }
  }
}

/// What became of a job so far.
public struct RemoteJobProgress: Sendable {
  private var seen: Set<String> = []
  public private(set) var begun: Set<String> = []
  public private(set) var codes: [String: Int] = [:]

  public init() {}

  /// Agents that have begun and not ended.
  public var isRunning: Bool { begun.count > codes.count }
  public var hasFailures: Bool { codes.values.contains { $0 != 0 } }

  /// Takes the entries of a job and returns the answers among them that are new, in the order of their keys.
  public mutating func take(_ pairs: [KVPair], in place: RemoteJob.Place) -> [RemoteJob.Answer] {
    pairs.compactMap { pair in
      guard let answer = RemoteJob.Answer(pair, in: place), seen.insert(pair.key).inserted else { return nil }
      switch answer {
      case .begun(let node): begun.insert(node)
      case .ended(let node, let code): codes[node] = code
      case .output: break
      }
      return answer
    }
  }
}
