import Model
import State
import Wire

extension Resolver {
  /// What a lookup of instances is answered for.
  struct ServiceAnswer {
    var question: DNSQuestion
    var zone: Zone
    var ttl: UInt32
    var place: CatalogPlace
    var onlyPassing: Bool
    /// Whether the instances stand in the order in which they are to be answered.
    var isOrdered = false
    var depth: Int
  }

  mutating func resolveService(
    _ lookup: ServiceLookup, _ question: DNSQuestion, _ zone: Zone, depth: Int
  ) -> DNSResponseCode {
    switch find(.service(lookup)) {
    case .instances(let instances):
      let answer = ServiceAnswer(
        question: question, zone: zone, ttl: configuration.serviceTTL.seconds(for: lookup.name), place: lookup.place,
        onlyPassing: configuration.settings.onlyPassing, depth: depth)
      return append(instances, answer)
    case nil:
      return .serverFailure
    default:
      return nameError(in: zone)
    }
  }

  mutating func resolvePreparedQuery(
    _ name: String, datacenter: String, _ question: DNSQuestion, _ zone: Zone, depth: Int
  ) -> DNSResponseCode {
    dependsOnClient = true
    switch find(.preparedQuery(name: name, datacenter: datacenter, client: client)) {
    case .preparedQuery(let found):
      let ttl = found.ttl?.wholeSeconds ?? configuration.serviceTTL.seconds(for: found.service.lowercased())
      let answer = ServiceAnswer(
        question: question, zone: zone, ttl: ttl, place: found.place, onlyPassing: false, isOrdered: true, depth: depth)
      return append(found.instances, answer)
    case nil:
      return .serverFailure
    default:
      return nameError(in: zone)
    }
  }

  private mutating func append(_ instances: [ServiceInstance], _ answer: ServiceAnswer) -> DNSResponseCode {
    let isService = answer.question.type == .srv
    let aRecordLimit = configuration.settings.aRecordLimit
    let limit = isService || aRecordLimit <= 0 ? answerLimit : min(answerLimit, aRecordLimit)
    pick(instances, onlyPassing: answer.onlyPassing)
    guard !order.isEmpty else { return nameError(in: answer.zone) }
    // Instances may share an address, so that more of them than records are needed.
    for position in order.indices {
      if !answer.isOrdered { shuffle(position) }
      let instance = instances[order[position]]
      if isService {
        appendService(instance, answer)
      } else {
        appendAddress(instance, answer)
      }
      if draft.answers.count >= limit { break }
    }
    if draft.answers.isEmpty && draft.extras.isEmpty {
      draft.append(authority: authorityRecord(answer.zone))
    }
    return .noError
  }

  // MARK: Which instances, in which order

  /// Puts the indices of healthy instances into `order`.
  mutating func pick(_ instances: [ServiceInstance], onlyPassing: Bool) {
    order.removeAll(keepingCapacity: true)
    for index in instances.indices where Self.isHealthy(instances[index], onlyPassing: onlyPassing) {
      order.append(index)
    }
  }

  /// Settles by chance what stands at a position of `order`: one step of a Fisher-Yates shuffle, so that nobody pays for
  /// instances that are not answered.
  mutating func shuffle(_ position: Int) {
    let other = Int.random(in: position..<order.count, using: &random)
    if other != position { order.swapAt(position, other) }
  }

  private static func isHealthy(_ instance: ServiceInstance, onlyPassing: Bool) -> Bool {
    for check in instance.checks {
      let status = check.value.status
      if status == CheckStatus.passing.rawValue { continue }
      if onlyPassing || status == CheckStatus.critical.rawValue { return false }
    }
    return true
  }

  /// The weight of an instance: the one for its worst status; 1 for statuses that Consul does not know.
  private static func weight(of instance: ServiceInstance) -> UInt16 {
    let weights = instance.service.value.weights ?? Weights()
    // A registration without weights may carry zeros.
    guard weights.passing != 0 || weights.warning != 0 else { return 1 }
    var weight = weights.passing
    for check in instance.checks {
      switch check.value.status {
      case CheckStatus.passing.rawValue: continue
      case CheckStatus.warning.rawValue: weight = weights.warning
      default: return 1
      }
    }
    return UInt16(clamping: weight)
  }

  // MARK: Records of an instance

  /// Where an instance is reached.
  private enum Endpoint {
    /// At the address of its node.
    case node(DNSAddress)
    case address(DNSAddress)
    case name(DNSName)
  }

  private func endpoint(of instance: ServiceInstance, _ question: DNSQuestion) -> Endpoint? {
    let accepted = AcceptedAddresses(question.type)
    let service = serviceAddress(instance.service, in: instance.node.value.datacenter, accepting: accepted)
    if !service.isEmpty {
      if let address = DNSAddress(service) { return .address(address) }
      guard let alias = try? DNSName(service) else { return nil }
      // A service that names itself is meant to be found at its node.
      if alias.isEqual(to: question.name), let address = DNSAddress(nodeAddress(instance.node, accepting: accepted)) {
        return .node(address)
      }
      return .name(alias)
    }
    let text = nodeAddress(instance.node, accepting: accepted)
    if let address = DNSAddress(text) {
      // The node's name stands for its own address, not for the one of another network.
      return text == instance.node.value.address ? .node(address) : .address(address)
    }
    return text.isEmpty ? nil : (try? DNSName(text)).map(Endpoint.name)
  }

  private mutating func appendAddress(_ instance: ServiceInstance, _ answer: ServiceAnswer) {
    let type = answer.question.type
    switch endpoint(of: instance, answer.question) {
    case .node(let address), .address(let address):
      if (type == .a || type == .aaaa) && type != address.recordType { return }
      draft.append(AnswerRecord(owner: .question, ttl: answer.ttl, data: .address(address)))
    case .name(let alias) where !alias.isEqual(to: answer.question.name):
      draft.append(AnswerRecord(owner: .question, ttl: answer.ttl, data: .name(.cname, .name(alias))))
      for var record in follow(alias, depth: answer.depth) {
        record.ttl = answer.ttl
        draft.append(record)
      }
    default:
      break
    }
  }

  private mutating func appendService(_ instance: ServiceInstance, _ answer: ServiceAnswer) {
    guard let endpoint = endpoint(of: instance, answer.question) else { return }
    let datacenter = instance.node.value.datacenter
    let name = instance.node.value.node
    let suffixes = answer.zone.suffixes(datacenter: datacenter, peer: answer.place.peer)
    let nodeName = AnswerName.labels(name, suffixes.node)
    let hasName = DNSName.canHold(labels: name, before: suffixes.node)
    let target: AnswerName
    switch endpoint {
    case .node(let address): target = hasName ? nodeName : .hexadecimal(address, suffixes.address)
    case .address(let address): target = .hexadecimal(address, suffixes.address)
    case .name(let name): target = .name(name)
    }
    let data = AnswerData.service(
      weight: Self.weight(of: instance), port: servicePort(instance.service, in: datacenter), target: target)
    guard draft.append(AnswerRecord(owner: .question, ttl: answer.ttl, data: data)) else { return }
    switch endpoint {
    case .node(let address), .address(let address):
      draft.append(extra: AnswerRecord(owner: target, ttl: answer.ttl, data: .address(address)))
    case .name(let name):
      for var record in follow(name, depth: answer.depth) {
        record.ttl = answer.ttl
        draft.append(extra: record)
      }
    }
    guard hasName, configuration.settings.enableAdditionalNodeMetaTXT else { return }
    for entry in instance.node.value.meta {
      draft.append(
        extra: AnswerRecord(owner: nodeName, ttl: answer.ttl, data: .text(Self.metaText(entry))),
        describesTarget: target == nodeName)
    }
  }
}
