import Agent
import Authentication
import ConsulClient
import Glibc
import Model

/// The flags of `consul login` that make the bearer token of a login with AWS from credentials.
enum AWSLogin {
  private static let automatic = Flag.bool(
    "aws-auto-bearer-token", "Make the bearer token of AWS credentials, from these flags or the environment. [aws-iam]")
  private static let accessKeyID = Flag.string("aws-access-key-id", "Id of an access key. [aws-iam]")
  private static let secretKey = Flag.string("aws-secret-access-key", "Its secret. [aws-iam]")
  private static let sessionToken = Flag.string("aws-session-token", "Token of temporary credentials. [aws-iam]")
  private static let region = Flag.string("aws-region", "Region whose STS is asked. [aws-iam]")
  private static let stsEndpoint = Flag.string("aws-sts-endpoint", "URL of another STS. [aws-iam]")
  private static let iamEndpoint = Flag.string("aws-iam-endpoint", "URL of another IAM. [aws-iam]")
  private static let serverID = Flag.string(
    "aws-server-id-header-value", "What the auth method demands in X-Consul-IAM-ServerID. [aws-iam]")
  private static let includesEntity = Flag.bool(
    "aws-include-entity", "Let the auth method look at the path and the tags of the role or user. [aws-iam]")

  static let flags = [
    automatic.any, accessKeyID.any, secretKey.any, sessionToken.any, region.any, stsEndpoint.any, iamEndpoint.any,
    serverID.any, includesEntity.any,
  ]

  static func isWanted(_ invocation: Invocation) -> Bool { invocation[automatic] }

  /// Refuses flags that mean nothing together.
  static func check(_ invocation: Invocation) throws {
    if !invocation[automatic] {
      let others = [accessKeyID, secretKey, sessionToken, region, stsEndpoint, iamEndpoint, serverID]
      if invocation[includesEntity] || others.contains(where: { !invocation[$0].isEmpty }) {
        throw CommandFailure("Missing '-aws-auto-bearer-token' flag")
      }
      return
    }
    switch (invocation[accessKeyID].isEmpty, invocation[secretKey].isEmpty) {
    case (false, true): throw CommandFailure("Missing '-aws-secret-access-key' flag")
    case (true, false): throw CommandFailure("Missing '-aws-access-key-id' flag")
    case (true, true) where !invocation[sessionToken].isEmpty:
      throw CommandFailure("Missing '-aws-access-key-id' and '-aws-secret-access-key' flags")
    default: break
    }
  }

  static func bearerToken(_ invocation: Invocation) async throws -> Secret {
    let given = invocation[accessKeyID].isEmpty ? invocation.environment : nil
    let key = given.map { $0["AWS_ACCESS_KEY_ID"] ?? "" } ?? invocation[accessKeyID]
    let secret = given.map { $0["AWS_SECRET_ACCESS_KEY"] ?? "" } ?? invocation[secretKey]
    let session = given.map { $0["AWS_SESSION_TOKEN"] ?? "" } ?? invocation[sessionToken]
    guard !key.isEmpty, !secret.isEmpty else {
      throw CommandFailure(
        "Error creating AWS IAM bearer token: no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    }
    let place =
      invocation[region].isEmpty
      ? invocation.environment["AWS_REGION"] ?? invocation.environment["AWS_DEFAULT_REGION"] ?? "" : invocation[region]
    let signer = AWSRequestSigner(
      accessKeyID: key, secretAccessKey: Secret(secret), sessionToken: Secret(session),
      region: place.isEmpty ? "us-east-1" : place)
    var options = AWSRequestSigner.Options()
    options.stsEndpoint = invocation[stsEndpoint]
    options.iamEndpoint = invocation[iamEndpoint]
    options.serverID = invocation[serverID]
    options.includesEntity = invocation[includesEntity]
    let now = Timestamp(unixSeconds: Int64(time(nil)), nanoseconds: 0)
    let progress = signer.bearerToken(options, now: now)
    return try await explaining("Error creating AWS IAM bearer token") {
      try await withCheckedThrowingContinuation { continuation in
        progress.run(on: ProviderClient()) { result in continuation.resume(with: result.mapError { $0 as any Error }) }
      }
    }
  }
}
