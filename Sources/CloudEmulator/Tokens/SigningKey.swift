internal import COpenSSL
internal import Foundation

/// The key pair of the emulator's service account. Only its public half is needed to check what clients sign; the
/// private one is in the file that clients are given.
final class SigningKey: @unchecked Sendable {
  /// To make one takes a good part of a second; emulators of one process share it.
  static let ofThisProcess = SigningKey()

  // Never changed after `init`, and libcrypto lets several threads read a key.
  private let key: OpaquePointer

  /// RSA with 2048 bits, as Google's keys are.
  init() {
    let context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nil)
    defer { EVP_PKEY_CTX_free(context) }
    var made: OpaquePointer?
    guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
      EVP_PKEY_keygen(context, &made) == 1, let made
    else { preconditionFailure("libcrypto cannot make an RSA key") }
    key = made
  }

  deinit { EVP_PKEY_free(key) }

  /// PKCS 8.
  var privatePEM: String {
    let memory = BIO_new(BIO_s_mem())
    defer { BIO_free(memory) }
    guard PEM_write_bio_PKCS8PrivateKey(memory, key, nil, nil, 0, nil, nil) == 1 else {
      preconditionFailure("libcrypto cannot write a key")
    }
    var pem = Data()
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = BIO_read(memory, &buffer, Int32(buffer.count))
      guard count > 0 else { break }
      pem.append(contentsOf: buffer[..<Int(count)])
    }
    return String(decoding: pem, as: UTF8.self)
  }

  /// RS256: PKCS 1 version 1.5 over SHA-256.
  func verify(_ signature: Data, of message: Data) -> Bool {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { return false }
    return signature.withUnsafeBytes { signature in
      message.withUnsafeBytes { message in
        EVP_DigestVerify(
          context, signature.bindMemory(to: UInt8.self).baseAddress, signature.count,
          message.bindMemory(to: UInt8.self).baseAddress, message.count) == 1
      }
    }
  }
}
