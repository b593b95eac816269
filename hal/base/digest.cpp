// SPDX-License-Identifier: Apache-2.0
#include "hal/base/digest.hpp"

// The plain SHA-256 functions, not the EVP ones: those load OpenSSL's providers, 1.7 MB of memory
// for the life of a node that otherwise speaks no TLS.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "hal/base/assert.hpp"

namespace berm {

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
  std::array<std::uint8_t, 32> digest{};
  SHA256_CTX context;
  const bool is_done = SHA256_Init(&context) == 1 &&
                       SHA256_Update(&context, bytes.data(), bytes.size()) == 1 &&
                       SHA256_Final(digest.data(), &context) == 1;
  BERM_ASSERT(is_done);
  return digest;
}

std::string sha256_hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(64);
  for (const std::uint8_t byte : sha256(bytes)) {
    hex.push_back(kDigits[byte >> 4U]);
    hex.push_back(kDigits[byte & 0x0FU]);
  }
  return hex;
}

std::uint64_t sum64_of(std::string_view line) {
  const auto digest = sha256(line);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 8; ++i) sum = (sum << 8U) | digest[i];
  return sum;
}

}  // namespace berm
