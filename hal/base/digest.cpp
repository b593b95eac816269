// SPDX-License-Identifier: Apache-2.0
#include "hal/base/digest.hpp"

#include <openssl/evp.h>

#include "hal/base/assert.hpp"

namespace berm {
namespace {

// Fetched once: looking the algorithm up costs more than hashing one event.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kAlgorithm;
}

}  // namespace

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
  std::array<std::uint8_t, 32> digest{};
  unsigned int length = 0;
  const EVP_MD* const algorithm = sha256_algorithm();
  BERM_ASSERT(algorithm != nullptr);
  const int done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, algorithm, nullptr);
  BERM_ASSERT(done == 1 && length == digest.size());
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
