// SPDX-License-Identifier: Apache-2.0
// FNV-1a, 64 bits: tells one list of points from another and spreads the nodes' retries in time.
// Not for anything an adversary could gain by. Source: Fowler, Noll, Vo; draft-eastlake-fnv.
#pragma once

#include <cstdint>
#include <string_view>

namespace berm::drivers::miv_feed {

class Hash {
 public:
  void add(std::string_view text) {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    add_byte(0xff);  // no UTF-8 text has it: the end
  }
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) {
      add_byte(static_cast<unsigned char>(number >> shift));
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 1099511628211ull; }
  std::uint64_t value_ = 14695981039346656037ull;
};

}  // namespace berm::drivers::miv_feed
