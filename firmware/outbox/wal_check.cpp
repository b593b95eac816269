// SPDX-License-Identifier: Apache-2.0
#include "firmware/outbox/wal_check.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace berm::outbox {
namespace {

constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // the lowest bit: checksums over big-endian words

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

struct Checksum {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  bool is_big_endian = false;

  void add(std::string_view bytes) {
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      a += word(bytes, i) + b;
      b += word(bytes, i + 4) + a;
    }
  }
  bool matches(std::string_view bytes, std::size_t at) const {
    return a == big_endian(bytes, at) && b == big_endian(bytes, at + 4);
  }

 private:
  std::uint32_t word(std::string_view bytes, std::size_t at) const {
    const std::uint32_t value = big_endian(bytes, at);
    return is_big_endian ? value : __builtin_bswap32(value);
  }
};

}  // namespace

WalState check_wal(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes ||
      std::ranges::all_of(bytes.substr(0, kHeaderBytes), [](char c) { return c == 0; })) {
    return WalState::empty;
  }
  if ((big_endian(bytes, 0) & ~1u) != kMagic) {
    return WalState::damaged;
  }
  Checksum sum{.is_big_endian = (big_endian(bytes, 0) & 1u) != 0};
  sum.add(bytes.substr(0, 24));
  if (!sum.matches(bytes, 24)) return WalState::damaged;
  const std::size_t page = big_endian(bytes, 8);
  const std::string_view salts = bytes.substr(16, 8);
  bool is_good = true;
  int commits_beyond = 0;
  bool has_beyond = false;
  std::size_t at = kHeaderBytes;
  for (; at + kFrameHeaderBytes + page <= bytes.size(); at += kFrameHeaderBytes + page) {
    if (bytes.substr(at + 8, 8) != salts) {
      is_good = false;  // an older log's, or garbage; there may still be ours behind it
      continue;
    }
    if (is_good) {
      sum.add(bytes.substr(at, 8));
      sum.add(bytes.substr(at + kFrameHeaderBytes, page));
      is_good = sum.matches(bytes, at + 16);
    }
    if (is_good) continue;
    has_beyond = true;
    if (big_endian(bytes, at + 4) != 0) ++commits_beyond;
  }
  if (commits_beyond > 1) return WalState::damaged;
  return has_beyond ? WalState::torn : WalState::whole;
}

}  // namespace berm::outbox
