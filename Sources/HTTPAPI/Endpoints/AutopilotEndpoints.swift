import Model
import Server

/// `/v1/operator/autopilot/`: how the servers look after themselves.
enum AutopilotEndpoints {
  static func configuration(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try request.readOptions(exchange)
    exchange.read(AutopilotGetConfiguration(), options) { answer in
      exchange.json { answer.value.encodeJSON(&$0) }
    }
  }

  static func configure(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let failure = "Error parsing autopilot config: "
    let json = try request.json(failure: failure)
    let configuration: AutopilotConfiguration
    do throws(DecodingError) {
      configuration = try AutopilotConfiguration(from: json, DecodingContext(.api, refusesUnknown: true))
    } catch {
      throw .badRequest(failure + error.apiText(AutopilotConfiguration.schema.name))
    }
    let expected: UInt64?
    do throws(HTTPError) {
      expected = try request.unsignedParameter("cas")
    } catch {
      throw .badRequest("Error parsing cas value: \(error.text)")
    }
    let change = AutopilotSetConfiguration(configuration, expectedIndex: expected)
    exchange.write(change, datacenter: request.datacenter) { exchange.bool($0) }
  }

  static func health(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try leaderOptions(request, exchange)
    exchange.answer(api.control.autopilotState(options, on: exchange.loop)) { showHealth($0, exchange) }
  }

  /// Only the leader knows how its followers are.
  private static func leaderOptions(
    _ request: borrowing Request, _ exchange: Exchange
  ) throws(HTTPError) -> QueryOptions {
    var options = try request.readOptions(exchange)
    options.minIndex = 0
    options.consistency = .leaseBased
    return options
  }

  private static func showHealth(_ state: AutopilotState, _ exchange: Exchange) {
    var head = ResponseHead()
    // Monitoring that only looks at the status sees it, too.
    if !state.isHealthy { head.status = .tooManyRequests }
    exchange.json(head) { writer in
      writer.beginObject()
      writer.member("Healthy")
      writer.bool(state.isHealthy)
      writer.member("FailureTolerance")
      writer.integer(state.failureTolerance)
      writer.member("Servers")
      writer.array(state.servers) { $1.encodeHealth(&$0) }
      writer.endObject()
    }
  }

  static func state(_ api: API, _ request: inout Request, _ exchange: Exchange) throws(HTTPError) {
    let options = try leaderOptions(request, exchange)
    exchange.answer(api.control.autopilotState(options, on: exchange.loop)) { showState($0, exchange) }
  }

  private static func showState(_ state: AutopilotState, _ exchange: Exchange) {
    exchange.json { writer in
      writer.beginObject()
      writer.member("Healthy")
      writer.bool(state.isHealthy)
      writer.member("FailureTolerance")
      writer.integer(state.failureTolerance)
      // The same without zones.
      writer.member("OptimisticFailureTolerance")
      writer.integer(state.failureTolerance)
      writer.member("Servers")
      writer.beginObject()
      for server in state.servers.sorted(by: { bytewiseLess($0.observation.id, $1.observation.id) }) {
        writer.member(server.observation.id)
        server.encodeState(&writer)
      }
      writer.endObject()
      writer.member("Leader")
      writer.string(state.leader)
      writer.member("Voters")
      writer.array(state.voters) { $0.string($1) }
      writer.endObject()
    }
  }
}

extension AutopilotState.Server {
  private func encodeIdentity(_ writer: inout JSONWriter, status: String) {
    for (name, text) in [
      ("ID", observation.id), ("Name", observation.name), ("Address", observation.address),
      (status, observation.nodeStatus), ("Version", observation.version),
    ] {
      writer.member(name)
      writer.string(text)
    }
  }

  private func encodeContact(_ writer: inout JSONWriter) {
    writer.member("LastContact")
    writer.string((observation.lastContact ?? GoDuration(nanoseconds: -1)).description)
    writer.member("LastTerm")
    writer.integer(observation.lastTerm)
    writer.member("LastIndex")
    writer.integer(observation.lastIndex)
    writer.member("Healthy")
    writer.bool(isHealthy)
  }

  fileprivate func encodeHealth(_ writer: inout JSONWriter) {
    writer.beginObject()
    encodeIdentity(&writer, status: "SerfStatus")
    writer.member("Leader")
    writer.bool(isLeader)
    encodeContact(&writer)
    writer.member("Voter")
    writer.bool(observation.isVoter)
    writer.member("StableSince")
    writer.string(Timestamp(unixSeconds: stableSince.unixSeconds).description)
    writer.endObject()
  }

  fileprivate func encodeState(_ writer: inout JSONWriter) {
    writer.beginObject()
    encodeIdentity(&writer, status: "NodeStatus")
    encodeContact(&writer)
    writer.member("StableSince")
    writer.string(stableSince.description)
    writer.member("ReadReplica")
    writer.bool(false)
    writer.member("Status")
    writer.string(status)
    writer.member("Meta")
    observation.meta.encodeJSON(&writer, [])
    writer.member("NodeType")
    writer.string("voter")
    writer.endObject()
  }
}

extension Request {
  /// Refuses a request about another datacenter: what it is about is known to this one's servers only.
  func requireOwnDatacenter(_ api: API, _ exchange: Exchange) throws(HTTPError) {
    let datacenter = try readOptions(exchange).datacenter
    if !datacenter.isEmpty, datacenter != api.backend.datacenter {
      throw HTTPError(ServerError.noPathToDatacenter(datacenter))
    }
  }
}
