#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stddef.h>

// Without it OpenSSL asks at the terminal for the passphrase of an encrypted key.
static inline int copenssl_no_passphrase(char *buffer, int size, int writing, void *context) {
  (void)buffer, (void)size, (void)writing, (void)context;
  return -1;
}

/// An RSA key in PEM, PKCS#8 or PKCS#1, without passphrase. NULL for anything else. To be freed by `EVP_PKEY_free`.
static inline EVP_PKEY *copenssl_rsa_private_key(const void *pem, int length) {
  BIO *bytes = BIO_new_mem_buf(pem, length);
  if (!bytes) return NULL;
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bytes, NULL, copenssl_no_passphrase, NULL);
  BIO_free(bytes);
  if (key && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
    EVP_PKEY_free(key);
    key = NULL;
  }
  ERR_clear_error();
  return key;
}

/// As `copenssl_rsa_private_key`, of the public half.
static inline EVP_PKEY *copenssl_public_key(const void *pem, int length) {
  BIO *bytes = BIO_new_mem_buf(pem, length);
  if (!bytes) return NULL;
  EVP_PKEY *key = PEM_read_bio_PUBKEY(bytes, NULL, copenssl_no_passphrase, NULL);
  BIO_free(bytes);
  ERR_clear_error();
  return key;
}

/// RSASSA-PKCS1-v1_5 with SHA-256. `length` is the room in `signature`, then what was used of it. 1, or 0 on failure.
static inline int copenssl_sign_sha256(
    EVP_PKEY *key, const unsigned char *message, size_t message_length, unsigned char *signature, size_t *length) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (!context) return 0;
  int done = EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestSign(context, signature, length, message, message_length) == 1;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return done;
}

/// Whether the signature is one of `copenssl_sign_sha256` by the key's other half.
static inline int copenssl_verify_sha256(
    EVP_PKEY *key, const unsigned char *message, size_t message_length, const unsigned char *signature, size_t length) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (!context) return 0;
  int matches = EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, length, message, message_length) == 1;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return matches;
}

/// A new key, for tests. NULL on failure.
static inline EVP_PKEY *copenssl_new_rsa_key(unsigned bits) { return EVP_RSA_gen(bits); }
