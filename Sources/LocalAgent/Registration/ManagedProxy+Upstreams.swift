import Model

extension ManagedProxy {
  /// The same proxy with all its upstreams in one place: files could write them beside the settings or among them.
  ///
  /// - Throws: `serviceInvalid` for an upstream that cannot be read.
  init(gathering proxy: ManagedProxy) throws(LocalAgentError) {
    self = proxy
    let written = config["upstreams"]
    config["upstreams"] = nil
    do {
      upstreams = try [Upstream](from: written ?? .null, DecodingContext(.configuration)) + upstreams
    } catch {
      throw .serviceInvalid("connect.proxy.config.upstreams: \(error.description)")
    }
    for index in upstreams.indices where upstreams[index].destinationType.isEmpty {
      upstreams[index].destinationType = "service"
    }
  }
}
