/// Whether a name says that its value is a secret, by Airflow's rule (`DEFAULT_SENSITIVE_FIELDS` of its secrets
/// masker).
package enum SensitiveName {
  package static let mask = "***"

  package static func isSensitive(_ name: String) -> Bool {
    let name = name.lowercased()
    return words.contains { name.contains($0) }
  }

  private static let words = [
    "access_token", "api_key", "apikey", "authorization", "keyfile_dict", "passphrase", "passwd", "password",
    "private_key", "secret", "service_account", "token",
  ]
}
