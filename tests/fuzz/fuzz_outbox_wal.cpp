// SPDX-License-Identifier: Apache-2.0
// A write-ahead log of any bytes is judged without a read beyond its end.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "firmware/outbox/wal_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(berm::outbox::check_wal({reinterpret_cast<const char*>(data), size}));
  return 0;
}
