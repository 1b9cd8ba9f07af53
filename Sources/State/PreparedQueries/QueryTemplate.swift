import Model

/// A template made ready: every text of its service part is parsed, and so is its regular expression.
final class QueryTemplate: Sendable {
  private let query: PreparedQuery
  private let pattern: Pattern?
  /// Only the texts that contain expressions, by what they are in the record.
  private let texts: [(place: TemplateText, text: Interpolation)]

  /// - Throws: `StateError.template` for a template that no name could make a query of.
  init(_ query: PreparedQuery) throws(StateError) {
    self.query = query
    guard query.template.type == QueryTemplateOptions.namePrefixMatch else {
      throw .template("Bad Template.Type '\(query.template.type)'")
    }
    pattern = try Self.pattern(query.template.regexp)
    var texts: [(place: TemplateText, text: Interpolation)] = []
    for place in TemplateText.all(of: query.service) {
      let source = place.read(query.service)
      let text: Interpolation
      do throws(Interpolation.Problem) {
        text = try Interpolation(source)
      } catch {
        throw .template("Bad format '\(source)' in Service.\(place): \(error)")
      }
      // Also texts without expressions: `$$` in them may stand for less.
      if !text.isPlain || source.contains("$") { texts.append((place, text)) }
    }
    self.texts = texts
    _ = try render(name: query.name, segment: "")
  }

  private static func pattern(_ text: String) throws(StateError) -> Pattern? {
    if text.isEmpty { return nil }
    do throws(Pattern.Invalid) {
      return try Pattern(text)
    } catch {
      throw .template("Bad Regexp: error parsing regexp: \(error.reason)")
    }
  }

  /// The query for one name, which begins with the name of the template.
  func render(name: String, segment: String) throws(StateError) -> PreparedQuery {
    let groups = pattern?.groups(in: name) ?? []
    let names = InterpolationNames(
      variables: [
        "name.full": name, "name.prefix": query.name,
        "name.suffix": String(decoding: name.utf8.dropFirst(query.name.utf8.count), as: UTF8.self),
        "agent.segment": segment,
      ],
      functions: ["match": { groups.indices.contains($0) ? groups[$0] : "" }])
    var result = query
    for (place, text) in texts {
      do throws(Interpolation.Problem) {
        place.write(try text.text(names), to: &result.service)
      } catch {
        throw .template("Bad evaluation for '\(place.read(query.service))' in Service.\(place): \(error)")
      }
    }
    if query.template.removeEmptyTags { result.service.tags.removeAll(where: \.isEmpty) }
    return result
  }
}

/// A text of the service part of a query.
enum TemplateText: Sendable, CustomStringConvertible {
  case service, samenessGroup, near, peer
  case datacenter(Int)
  case targetPeer(Int)
  case targetDatacenter(Int)
  case ignoredCheck(Int)
  case tag(Int)
  case nodeMeta(String)
  case serviceMeta(String)

  static func all(of service: ServiceQuery) -> [TemplateText] {
    var all: [TemplateText] = [.service, .samenessGroup]
    all += service.failover.datacenters.indices.map { .datacenter($0) }
    for index in service.failover.targets.indices { all += [.targetPeer(index), .targetDatacenter(index)] }
    all += service.ignoreCheckIDs.indices.map { .ignoredCheck($0) }
    all.append(.near)
    all += service.tags.indices.map { .tag($0) }
    all += service.nodeMeta.keys.map { .nodeMeta($0) }
    all += service.serviceMeta.keys.map { .serviceMeta($0) }
    all.append(.peer)
    return all
  }

  func read(_ service: ServiceQuery) -> String {
    switch self {
    case .service: service.service
    case .samenessGroup: service.samenessGroup
    case .near: service.near
    case .peer: service.peer
    case .datacenter(let index): service.failover.datacenters[index]
    case .targetPeer(let index): service.failover.targets[index].peer
    case .targetDatacenter(let index): service.failover.targets[index].datacenter
    case .ignoredCheck(let index): service.ignoreCheckIDs[index]
    case .tag(let index): service.tags[index]
    case .nodeMeta(let key): service.nodeMeta[key] ?? ""
    case .serviceMeta(let key): service.serviceMeta[key] ?? ""
    }
  }

  func write(_ text: String, to service: inout ServiceQuery) {
    switch self {
    case .service: service.service = text
    case .samenessGroup: service.samenessGroup = text
    case .near: service.near = text
    case .peer: service.peer = text
    case .datacenter(let index): service.failover.datacenters[index] = text
    case .targetPeer(let index): service.failover.targets[index].peer = text
    case .targetDatacenter(let index): service.failover.targets[index].datacenter = text
    case .ignoredCheck(let index): service.ignoreCheckIDs[index] = text
    case .tag(let index): service.tags[index] = text
    case .nodeMeta(let key): service.nodeMeta[key] = text
    case .serviceMeta(let key): service.serviceMeta[key] = text
    }
  }

  var description: String {
    switch self {
    case .service: "Service"
    case .samenessGroup: "SamenessGroup"
    case .near: "Near"
    case .peer: "Peer"
    case .datacenter(let index): "Failover.Datacenters[\(index)]"
    case .targetPeer(let index): "Failover.Targets[\(index)].Peer"
    case .targetDatacenter(let index): "Failover.Targets[\(index)].Datacenter"
    case .ignoredCheck(let index): "IgnoreCheckIDs[\(index)]"
    case .tag(let index): "Tags[\(index)]"
    case .nodeMeta(let key): "NodeMeta[\(key)]"
    case .serviceMeta(let key): "ServiceMeta[\(key)]"
    }
  }
}
