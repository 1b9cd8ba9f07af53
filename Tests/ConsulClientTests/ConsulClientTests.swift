import Testing

@testable import ConsulClient
