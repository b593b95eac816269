// SPDX-License-Identifier: Apache-2.0
// A zone's file or rule: any bytes are refused, or say for every instant in which part of the day
// it is: one that began no later and no longer ago than such a part may last.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hal/base/assert.hpp"
#include "hal/base/time_zone.hpp"

namespace {

void look_at(const berm::TimeZone& zone) {
  for (std::int64_t s = 1'700'000'000; s < 1'740'000'000; s += 2'777'777) {
    for (const std::int64_t part_s : {900, 3600, 86400}) {
      BERM_ASSERT(zone.part_begin_s(s, part_s) <= s);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto zone = berm::TimeZone::from_rule(bytes)) look_at(*zone);
  if (const auto zone = berm::TimeZone::from_file(bytes)) look_at(*zone);
  return 0;
}
