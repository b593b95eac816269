// SPDX-License-Identifier: Apache-2.0
// The header of a decoded film: never a crash, and what is taken is within its bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hal/base/assert.hpp"
#include "hal/base/y4m.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto header = berm::parse_y4m_header({reinterpret_cast<const char*>(bytes), size});
  if (!header) return 0;
  BERM_ASSERT(header->width >= 1 && header->width <= berm::kMaxPictureSide);
  BERM_ASSERT(header->height >= 1 && header->height <= berm::kMaxPictureSide);
  BERM_ASSERT(header->rate >= 0.0);
  return 0;
}
