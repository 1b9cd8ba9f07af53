import Testing

@testable import DNSServer
