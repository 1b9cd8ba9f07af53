import Model

/// Rows as the user interface gets them: a list of tags that is empty is `null`.
extension NodeService {
  func encodeJSONWithNullTags(_ writer: inout JSONWriter) { UINodeService(service: self).encodeJSON(&writer) }
}

extension HealthCheck {
  func encodeJSONWithNullTags(_ writer: inout JSONWriter) { UIHealthCheck(check: self).encodeJSON(&writer) }
}

private struct UINodeService: Record {
  var service = NodeService()
  var tags: [String] = []

  init() {}

  init(service: NodeService) {
    self.service = service
    tags = service.tags
  }

  static let schema = Schema<UINodeService>("structs.NodeService") {
    $0.field("Tags", \.tags, .nullWhenEmpty)
    $0.embed(\.service, except: ["Tags"])
  }
}

private struct UIHealthCheck: Record {
  var check = HealthCheck()
  var serviceTags: [String] = []

  init() {}

  init(check: HealthCheck) {
    self.check = check
    serviceTags = check.serviceTags
  }

  static let schema = Schema<UIHealthCheck>("structs.HealthCheck") {
    $0.field("ServiceTags", \.serviceTags, .nullWhenEmpty)
    $0.embed(\.check, except: ["ServiceTags"])
  }
}
