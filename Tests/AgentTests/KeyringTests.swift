import Testing

@testable import Agent

private let first = "pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="
private let second = "T3HHaeUe4rkPtbYn5XFrhvMyoh3ScAD0ABc4nPrmAtY="

@Test func keysAreInstalledUsedAndRemoved() throws {
  var ring = Keyring(keys: [first])
  try ring.install(second)
  try ring.install(second)
  #expect(try ring.list() == [first, second])
  #expect(throws: Keyring.Failure.isPrimary) { try ring.remove(first) }
  try ring.use(second)
  #expect(ring.primary == second)
  try ring.remove(first)
  #expect(ring.keys == [second])
  #expect(throws: Keyring.Failure.unknownKey) { try ring.use(first) }
  // Removing what is not there changes nothing.
  try ring.remove(first)
}

@Test(arguments: ["", "c2hvcnQ=", "not base64!"])
func textsThatAreNoKeysAreRefused(text: String) {
  var ring = Keyring(keys: [first])
  #expect(throws: Keyring.Failure.invalidSize) { try ring.install(text) }
}

@Test func withoutEncryptionThereIsNothingToShowOrChange() {
  var ring = Keyring(keys: [])
  #expect(throws: Keyring.Failure.isEmpty) { try ring.list() }
  #expect(throws: Keyring.Failure.notEnabled) { try ring.install(first) }
  #expect(throws: Keyring.Failure.notEnabled) { try ring.use(first) }
  #expect(throws: Keyring.Failure.notEnabled) { try ring.remove(first) }
}
