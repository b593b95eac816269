// SPDX-License-Identifier: Apache-2.0
#include "hal/base/signature.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <array>
#include <memory>

#include "hal/base/assert.hpp"
#include "hal/base/digest.hpp"

namespace berm {
namespace {

constexpr std::size_t kRawBytes = 32;
constexpr std::size_t kIdDigits = 16;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Bio = std::unique_ptr<BIO, FreeBio>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

const unsigned char* raw_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Bio reader(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

Key public_from_raw(std::string_view raw) {
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw_of(raw), raw.size()));
  BERM_ASSERT(key != nullptr);
  return key;
}

Key private_from_raw(std::string_view raw) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw_of(raw), raw.size()));
  BERM_ASSERT(key != nullptr);
  return key;
}

bool is_ed25519(const Key& key) {
  return key != nullptr && EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519;
}

template <class Get>
std::string raw_bytes(const Key& key, Get get) {
  std::array<unsigned char, kRawBytes> raw{};
  std::size_t size = raw.size();
  const bool is_got = get(key.get(), raw.data(), &size) == 1;
  BERM_ASSERT(is_got && size == raw.size());
  std::string bytes(reinterpret_cast<const char*>(raw.data()), raw.size());
  OPENSSL_cleanse(raw.data(), raw.size());
  return bytes;
}

std::string text_in(const Bio& bio) {
  char* begin = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &begin);
  return std::string(begin, static_cast<std::size_t>(size));
}

}  // namespace

PublicKey::PublicKey(std::string raw)
    : raw_(std::move(raw)), id_(sha256_hex(raw_).substr(0, kIdDigits)) {}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  if (pem.size() > kMaxKeyPemBytes) return fail(ErrorCode::invalid, "the key is too long");
  const Bio bio = reader(pem);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  if (!is_ed25519(key)) {
    return fail(ErrorCode::invalid, "not the PEM of an Ed25519 public key");
  }
  return PublicKey(raw_bytes(key, EVP_PKEY_get_raw_public_key));
}

bool PublicKey::has_signed(std::string_view bytes, std::string_view signature) const {
  if (signature.size() != kSignatureBytes) return false;
  const Key key = public_from_raw(raw_);
  const Context context(EVP_MD_CTX_new());
  const bool is_begun =
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1;
  BERM_ASSERT(is_begun);
  const bool is_right = EVP_DigestVerify(context.get(), raw_of(signature), signature.size(),
                                         raw_of(bytes), bytes.size()) == 1;
  ERR_clear_error();
  return is_right;
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  if (pem.size() > kMaxKeyPemBytes) return fail(ErrorCode::invalid, "the key is too long");
  const Bio bio = reader(pem);
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  if (!is_ed25519(key)) {
    return fail(ErrorCode::invalid, "not the PEM of an Ed25519 private key without a pass phrase");
  }
  return PrivateKey(raw_bytes(key, EVP_PKEY_get_raw_private_key));
}

PrivateKey PrivateKey::generate() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  BERM_ASSERT(key != nullptr);
  return PrivateKey(raw_bytes(key, EVP_PKEY_get_raw_private_key));
}

PrivateKey::~PrivateKey() {
  OPENSSL_cleanse(raw_.data(), raw_.size());
}

PublicKey PrivateKey::public_key() const {
  auto key = PublicKey::from_pem(public_pem());
  BERM_ASSERT(key.has_value());
  return std::move(*key);
}

std::string PrivateKey::sign(std::string_view bytes) const {
  const Key key = private_from_raw(raw_);
  const Context context(EVP_MD_CTX_new());
  std::array<unsigned char, kSignatureBytes> signature{};
  std::size_t size = signature.size();
  const bool is_signed =
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestSign(context.get(), signature.data(), &size, raw_of(bytes), bytes.size()) == 1;
  BERM_ASSERT(is_signed && size == signature.size());
  return std::string(reinterpret_cast<const char*>(signature.data()), signature.size());
}

std::string PrivateKey::to_pem() const {
  const Key key = private_from_raw(raw_);
  const Bio bio(BIO_new(BIO_s_mem()));
  const bool is_written = PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0,
                                                        nullptr, nullptr) == 1;
  BERM_ASSERT(is_written);
  return text_in(bio);
}

std::string PrivateKey::public_pem() const {
  const Key key = private_from_raw(raw_);
  const Bio bio(BIO_new(BIO_s_mem()));
  const bool is_written = PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1;
  BERM_ASSERT(is_written);
  return text_in(bio);
}

}  // namespace berm
