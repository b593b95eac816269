// SPDX-License-Identifier: Apache-2.0
// SHA-256 and what is made of it (libcrypto stays inside). Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace berm {

std::array<std::uint8_t, 32> sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
// The first 8 bytes of sha256, big-endian: what a manifest's sum64 adds up modulo 2^64.
std::uint64_t sum64_of(std::string_view line);

}  // namespace berm
