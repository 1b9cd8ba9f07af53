// The records of the catalog as messages of `hashicorp.consul.internal.service` and `.common` (wire/protobuf.md).

extension Node: ProtobufMessage {
  public static let layout = ProtobufLayout<Node> {
    $0.field(1, \.id)
    $0.field(2, \.node)
    $0.field(3, \.address)
    $0.field(4, \.datacenter)
    $0.field(5, \.taggedAddresses)
    $0.field(6, \.meta)
    $0.indexes(7, \.createIndex, \.modifyIndex)
    $0.field(8, \.partition)
    $0.field(9, \.peerName)
    $0.field(10, \.locality)
  }
}

extension Locality: ProtobufMessage {
  public static let layout = ProtobufLayout<Locality> {
    $0.field(1, \.region)
    $0.field(2, \.zone)
  }
}

extension NodeService: ProtobufMessage {
  public static let layout = ProtobufLayout<NodeService> {
    $0.field(1, \.kind)
    $0.field(2, \.id)
    $0.field(3, \.service)
    $0.field(4, \.tags)
    $0.field(5, \.address)
    $0.field(6, \.meta)
    $0.field(7, \.port)
    $0.field(8, \.weights)
    $0.field(9, \.enableTagOverride)
    $0.field(11, \.proxy)
    $0.field(12, \.connect)
    $0.field(13, \.locallyRegisteredAsSidecar)
    $0.indexes(14, \.createIndex, \.modifyIndex)
    $0.field(15, \.taggedAddresses)
    $0.emptyMessage(16)
    $0.field(17, \.socketPath)
    $0.field(18, \.peerName)
    $0.field(19, \.locality)
  }
}

extension ServiceAddress: ProtobufMessage, ProtobufMapValue {
  public static let layout = ProtobufLayout<ServiceAddress> {
    $0.field(1, \.address)
    $0.field(2, \.port)
  }

  public func writeValue(_ writer: inout ProtobufWriter) { write(2, &writer) }
  public mutating func readValue(_ reader: inout ProtobufReader) throws(ProtobufError) { try read(&reader) }
}

/// A message tells every weight: one that it leaves out is 0.
extension Weights: ProtobufMessage {
  public static let layout = ProtobufLayout<Weights> {
    $0.field(1, \.passing)
    $0.field(2, \.warning)
  }

  public mutating func read(_ reader: inout ProtobufReader) throws(ProtobufError) {
    (passing, warning) = (0, 0)
    var inner = try reader.message()
    try merge(&inner)
  }
}

extension ConnectProxyConfig: ProtobufMessage {
  public static let layout = ProtobufLayout<ConnectProxyConfig> {
    $0.field(1, \.destinationServiceName)
    $0.field(2, \.destinationServiceID)
    $0.field(3, \.localServiceAddress)
    $0.field(4, \.localServicePort)
    $0.field(5, \.config)
    $0.field(6, \.upstreams)
    $0.field(7, \.meshGateway)
    $0.field(8, \.expose)
    $0.field(9, \.mode)
    $0.field(10, \.transparentProxy)
    $0.field(11, \.localServiceSocketPath)
    $0.field(12, \.envoyExtensions)
    $0.field(13, \.accessLogs)
  }
}

extension Upstream: ProtobufMessage {
  public static let layout = ProtobufLayout<Upstream> {
    $0.field(1, \.destinationType)
    $0.field(2, \.destinationNamespace)
    $0.field(3, \.destinationName)
    $0.field(4, \.datacenter)
    $0.field(5, \.localBindAddress)
    $0.field(6, \.localBindPort)
    $0.field(7, \.config)
    $0.field(8, \.meshGateway)
    $0.field(9, \.centrallyConfigured)
    $0.field(10, \.localBindSocketPath)
    $0.field(11, \.localBindSocketMode)
    $0.field(12, \.destinationPartition)
    $0.field(13, \.destinationPeer)
  }
}

extension ServiceConnect: ProtobufMessage {
  public static let layout = ProtobufLayout<ServiceConnect> {
    $0.field(1, \.native)
    $0.field(3, \.sidecarService)
    $0.field(4, \.peerMeta)
  }
}

extension PeeringServiceMeta: ProtobufMessage {
  public static let layout = ProtobufLayout<PeeringServiceMeta> {
    $0.field(1, \.sni)
    $0.field(2, \.spiffeID)
    $0.field(3, \.protocol)
  }
}

extension MeshGatewayConfig: ProtobufMessage {
  public static let layout = ProtobufLayout<MeshGatewayConfig> { $0.field(1, \.mode) }
}

extension ExposeConfig: ProtobufMessage {
  public static let layout = ProtobufLayout<ExposeConfig> {
    $0.field(1, \.checks)
    $0.field(2, \.paths)
  }
}

extension ExposePath: ProtobufMessage {
  public static let layout = ProtobufLayout<ExposePath> {
    $0.field(1, \.listenerPort)
    $0.field(2, \.path)
    $0.field(3, \.localPathPort)
    $0.field(4, \.protocol)
    $0.field(5, \.parsedFromCheck)
  }
}

extension TransparentProxyConfig: ProtobufMessage {
  public static let layout = ProtobufLayout<TransparentProxyConfig> {
    $0.field(1, \.outboundListenerPort)
    $0.field(2, \.dialedDirectly)
  }
}

extension AccessLogsConfig: ProtobufMessage {
  public static let layout = ProtobufLayout<AccessLogsConfig> {
    $0.field(1, \.enabled)
    $0.field(2, \.disableListenerLogs)
    $0.field(3, \.type)
    $0.field(4, \.path)
    $0.field(5, \.jsonFormat)
    $0.field(6, \.textFormat)
  }
}

extension EnvoyExtension: ProtobufMessage {
  public static let layout = ProtobufLayout<EnvoyExtension> {
    $0.field(1, \.name)
    $0.field(2, \.required)
    $0.field(3, \.arguments)
    $0.field(4, \.consulVersion)
    $0.field(5, \.envoyVersion)
  }
}

extension HealthCheck: ProtobufMessage {
  public static let layout = ProtobufLayout<HealthCheck> {
    $0.field(1, \.node)
    $0.field(2, \.checkID)
    $0.field(3, \.name)
    $0.field(4, \.status)
    $0.field(5, \.notes)
    $0.field(6, \.output)
    $0.field(7, \.serviceID)
    $0.field(8, \.serviceName)
    $0.field(9, \.serviceTags)
    $0.field(10, \.definition)
    $0.indexes(11, \.createIndex, \.modifyIndex)
    $0.field(12, \.type)
    $0.emptyMessage(13)
    $0.field(14, \.exposedPort)
    $0.field(15, \.interval)
    $0.field(16, \.timeout)
    $0.field(17, \.peerName)
  }
}

extension HealthCheckDefinition: ProtobufMessage {
  public static let layout = ProtobufLayout<HealthCheckDefinition> {
    $0.field(1, \.http)
    $0.field(2, \.tlsSkipVerify)
    $0.field(3, \.header)
    $0.field(4, \.method)
    $0.field(5, \.tcp)
    $0.field(6, \.interval)
    $0.field(7, \.timeout)
    $0.field(8, \.deregisterCriticalServiceAfter)
    $0.field(9, \.outputMaxSize)
    $0.field(10, \.scriptArgs)
    $0.field(11, \.dockerContainerID)
    $0.field(12, \.shell)
    $0.field(13, \.grpc)
    $0.field(14, \.grpcUseTLS)
    $0.field(15, \.aliasNode)
    $0.field(16, \.aliasService)
    $0.field(17, \.ttl)
    $0.field(18, \.body)
    $0.field(19, \.tlsServerName)
    $0.field(20, \.h2ping)
    $0.field(21, \.h2pingUseTLS)
    $0.field(22, \.disableRedirects)
    $0.field(23, \.udp)
    $0.field(24, \.osService)
    $0.field(25, \.tcpUseTLS)
    $0.field(26, \.sessionName)
  }
}
