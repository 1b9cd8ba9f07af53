import Consensus
import Model
import Telemetry

/// `<data_dir>/raft/peers.json`: the servers of consensus as an operator wants them, after a majority of them was lost for
/// good. It is read once, at the next start, and removed.
struct PeersFile {
  enum Failure: Error, Equatable, CustomStringConvertible {
    case notJSON(String)
    case notAList
    /// `index` counts from 0.
    case missing(field: String, index: Int)
    case wrongType(field: String, index: Int)

    var description: String {
      switch self {
      case .notJSON(let reason): reason
      case .notAList: "not a list of servers"
      case .missing(let field, let index): "server \(index) has no \(field)"
      case .wrongType(let field, let index): "\(field) of server \(index) has the wrong type"
      }
    }
  }

  private let directory: String

  init(dataDirectory: String) { directory = "\(dataDirectory)/raft" }

  private var path: String { "\(directory)/peers.json" }
  private var informationPath: String { "\(directory)/peers.info" }

  /// The servers that a text names.
  static func parse(_ text: String) throws(Failure) -> RaftConfiguration {
    let value: Dynamic
    do {
      value = try Dynamic(json: Array(text.utf8))
    } catch {
      throw .notJSON("\(error)")
    }
    guard case .array(let elements) = value else { throw .notAList }
    var servers: [RaftServer] = []
    for (index, element) in elements.enumerated() {
      guard case .object(let members) = element else { throw .wrongType(field: "the entry", index: index) }
      let id = try string("id", members, index)
      let address = try string("address", members, index)
      var suffrage = RaftServer.Suffrage.voter
      switch members["non_voter"] {
      case nil, .null?, .bool(false)?: break
      case .bool(true)?: suffrage = .nonVoter
      default: throw .wrongType(field: "non_voter", index: index)
      }
      servers.append(RaftServer(id: id, address: address, suffrage: suffrage))
    }
    return RaftConfiguration(servers: servers)
  }

  private static func string(_ name: String, _ members: DynamicObject, _ index: Int) throws(Failure) -> String {
    guard let value = members[name] else { throw .missing(field: name, index: index) }
    guard case .string(let text) = value else { throw .wrongType(field: name, index: index) }
    return text
  }

  /// Carries out what an operator left here, if anything.
  ///
  /// - Parameter recover: Gives the stored state the new configuration.
  /// - Throws: `AgentError.storage`; the file stays then.
  func consume(_ recover: (RaftConfiguration) throws(RaftError) -> Void) throws(AgentError) {
    try DataDirectory.make(directory)
    // A file from before this release was started the first time belongs to another one, which would have read it every time.
    guard try SmallFile.read(informationPath) != nil else {
      if try SmallFile.read(path) != nil {
        SmallFile.remove(path)
        LogOutput.logger("agent.server").info("removed a peers.json that was there before the first start")
      }
      return try SmallFile.replace(informationPath, with: Self.information, mode: 0o644)
    }
    guard let text = try SmallFile.read(path) else { return }
    let logger = LogOutput.logger("agent.server")
    logger.warning("found peers.json, giving consensus the servers in it", metadata: ["path": "\(path)"])
    let configuration: RaftConfiguration
    do throws(Failure) {
      configuration = try Self.parse(text)
    } catch {
      throw .storage("recovery failed to parse \(path): \(error)")
    }
    do throws(RaftError) {
      try recover(configuration)
    } catch {
      throw .storage("recovery failed: \(error)")
    }
    SmallFile.remove(path)
    logger.info("removed peers.json after the recovery", metadata: ["servers": "\(configuration.servers.count)"])
  }

  /// What the file beside it tells an operator.
  private static let information = """
    Servers that lost the majority of their number for good can be told to go on without it.

    1. Stop all servers that are left.
    2. Put a file peers.json into this directory, on every one of them, with the same content: a list of the servers
       that are left,

         [
           {"id": "adf4238a-882b-9ddc-4a9d-5b6758e4159e", "address": "10.1.0.1:8300", "non_voter": false},
           {"id": "8b6dda82-3103-11e7-93ae-92361f002671", "address": "10.1.0.2:8300", "non_voter": false}
         ]

       id: in the file node-id of the server's data directory. address: host and port of server RPC (8300).
       non_voter: true for a server that only follows; may be left out.
    3. Start them. Each takes over what is in its own log, whether it was committed or not, and removes the file.

    The file is not needed as long as a majority of servers can be reached: `consul operator raft remove-peer` takes
    a dead server out then. It is read at no other time than a start, and ignored on a server without any state.

    """
}
