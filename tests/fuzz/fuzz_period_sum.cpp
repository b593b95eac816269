// SPDX-License-Identifier: Apache-2.0
// A lane period's tail and what rounding took away from it, on two lines: anything is refused, or
// is read back the same once written, and merges with itself into twice its length.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "firmware/event/period_sum.hpp"
#include "hal/base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berm::event;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  const PeriodTable table(*find_schema("traffic.lane"));
  const auto sum = table.read(text.substr(0, line), text.substr(std::min(line + 1, text.size())));
  if (!sum) return 0;
  PeriodSum both = *sum;
  both.add(*sum);
  BERM_ASSERT(both.period_s() == 2 * sum->period_s());
  const auto again = table.read(both.tail(), both.rest());
  if (!again) return 0;  // what adds up to more than a value may be
  BERM_ASSERT(again->tail() == both.tail());
  return 0;
}
