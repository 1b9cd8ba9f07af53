import Mesh
import Model
import Testing

@Suite struct MeshDefaultsRulesTests {
  static let refused: [Refusal] = [
    Refusal(
      #"{"Kind": "mesh", "Name": "other", "TransparentProxy": {"MeshDestinationsOnly": true}}"#,
      "1 error occurred:\n\t* invalid config key \"Name\"\n\n"),
    Refusal(
      #"{"Kind": "mesh", "TLS": {"Incoming": {"TLSMinVersion": "TLSv2"}}}"#,
      "error in incoming TLS configuration: no matching TLS version found for TLSv2, please specify one "
        + "of [TLS_AUTO, TLSv1_0, TLSv1_1, TLSv1_2, TLSv1_3]"),
    Refusal(
      #"{"Kind": "mesh", "TLS": {"Incoming": {"TLSMinVersion": "TLSv1_3", "TLSMaxVersion": "TLSv1_2"}}}"#,
      "error in incoming TLS configuration: configuring max version TLSv1_2 less than the configured min "
        + "version TLSv1_3 is invalid"),
    Refusal(
      #"""
      {"Kind": "mesh", "TLS": {"Outgoing": {"TLSMinVersion": "TLSv1_3", "CipherSuites": [
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]}}}
      """#,
      "error in outgoing TLS configuration: configuring CipherSuites is only applicable to connections "
        + "negotiated with TLS 1.2 or earlier, TLSMinVersion is set to TLSv1_3"),
    Refusal(
      #"{"Kind": "mesh", "TLS": {"Outgoing": {"CipherSuites": ["ROT13"]}}}"#,
      "error in outgoing TLS configuration: no matching Envoy TLS cipher suite found for ROT13"),
    Refusal(
      #"{"Kind": "mesh", "HTTP": {"Incoming": {"RequestNormalization": {"PathWithEscapedSlashesAction": "EAT"}}}}"#,
      "error in HTTP incoming request normalization configuration: no matching "
        + "PathWithEscapedSlashesAction value found for EAT, please specify one of "
        + "[IMPLEMENTATION_SPECIFIC_DEFAULT, KEEP_UNCHANGED, REJECT_REQUEST, UNESCAPE_AND_REDIRECT, "
        + "UNESCAPE_AND_FORWARD]"),
    Refusal(
      #"{"Kind": "mesh", "HTTP": {"Incoming": {"RequestNormalization": {"HeadersWithUnderscoresAction": "EAT"}}}}"#,
      "error in HTTP incoming request normalization configuration: no matching "
        + "HeadersWithUnderscoresAction value found for EAT, please specify one of [ALLOW, REJECT_REQUEST, "
        + "DROP_HEADER]"),
  ]

  @Test("what breaks a rule is refused, with the reason", arguments: refused)
  func refuses(_ row: Refusal) { #expect(preparation(of: row.body) == row.text) }

  static let normalized: [Normalization] = [
    Normalization(
      #"{"Kind": "mesh"}"#,
      #"{"Kind": "mesh", "TransparentProxy": {"MeshDestinationsOnly": false}}"#),
    Normalization(
      #"""
      {"Kind": "mesh", "TransparentProxy": {"MeshDestinationsOnly": true},
      "AllowEnablingPermissiveMutualTLS": true, "ValidateClusters": true, "TLS": {"Incoming": {
      "TLSMinVersion": "TLSv1_2", "TLSMaxVersion": "TLSv1_3", "CipherSuites": [
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]}, "Outgoing": {"TLSMinVersion": "TLSv1_2"}}, "HTTP": {
      "SanitizeXForwardedClientCert": true, "Incoming": {"RequestNormalization": {
      "InsecureDisablePathNormalization": true, "MergeSlashes": true,
      "PathWithEscapedSlashesAction": "REJECT_REQUEST", "HeadersWithUnderscoresAction": "DROP_HEADER"}}},
      "Peering": {"PeerThroughMeshGateways": true}, "Meta": {"a": "b"}}
      """#,
      #"""
      {"Kind": "mesh", "TransparentProxy": {"MeshDestinationsOnly": true},
      "AllowEnablingPermissiveMutualTLS": true, "ValidateClusters": true, "TLS": {"Incoming": {
      "TLSMinVersion": "TLSv1_2", "TLSMaxVersion": "TLSv1_3", "CipherSuites": [
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]}, "Outgoing": {"TLSMinVersion": "TLSv1_2"}}, "HTTP": {
      "SanitizeXForwardedClientCert": true, "Incoming": {"RequestNormalization": {
      "InsecureDisablePathNormalization": true, "MergeSlashes": true,
      "PathWithEscapedSlashesAction": "REJECT_REQUEST", "HeadersWithUnderscoresAction": "DROP_HEADER"}}},
      "Peering": {"PeerThroughMeshGateways": true}, "Meta": {"a": "b"}}
      """#),
  ]

  @Test("entries are stored in one form, with defaults filled in", arguments: normalized)
  func normalizes(_ row: Normalization) throws {
    #expect(try stored(row.body) == compact(row.stored))
  }
}
