import Model

/// `consul keygen`: a key for the encryption of gossip.
enum KeygenCommand {
  /// AES-256.
  private static let keySize = 32

  static var command: Command {
    Command(
      usage: "Usage: consul keygen",
      about: "Prints a new random key for the option \"encrypt\", which all agents of a cluster share."
    ) { invocation in
      var generator = SystemRandomNumberGenerator()
      let key = (0..<keySize).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      invocation.console.out(Base64.encode(key))
      return 0
    }
  }
}
