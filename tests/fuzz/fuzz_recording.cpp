// SPDX-License-Identifier: Apache-2.0
// Any bytes, as CSV and as JSON lines: the readers refuse with a line number or give rows within
// their bounds, the same rows at a second reading; nothing is ever read beyond the text.
#include <cstdint>
#include <string>
#include <vector>

#include "hal/base/assert.hpp"
#include "hal/sim/recording.hpp"

namespace {

using berm::hal::EdgeReader;

std::uint64_t read_through(EdgeReader& reader) {
  std::uint64_t sum = 0;
  while (true) {
    const auto rows = reader.next();
    if (!rows) {
      BERM_ASSERT(!rows.error().text.empty());
      return sum + 1;
    }
    if (rows->empty()) return sum;
    for (const auto& row : *rows) {
      BERM_ASSERT(row.loop < reader.names().size());
      BERM_ASSERT(row.resolution_us >= 1 && row.resolution_us <= berm::hal::kMaxResolutionUs);
      BERM_ASSERT(row.time.count() >= 0 && row.time <= berm::Seconds{1'000'000'000});
      sum = sum * 31 + static_cast<std::uint64_t>(row.time.count()) + (row.on ? 7 : 0) + row.loop;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  for (const auto form : {EdgeReader::Form::csv, EdgeReader::Form::rec}) {
    EdgeReader reader(berm::hal::text_bytes(text), form, "fuzz");
    const std::uint64_t first = read_through(reader);
    const std::size_t names = reader.names().size();
    BERM_ASSERT(reader.rewind().has_value());
    BERM_ASSERT(read_through(reader) == first && reader.names().size() == names);
  }
  berm::hal::SignalReader signals(berm::hal::text_bytes(text), "fuzz");
  while (true) {
    const auto row = signals.next();
    if (!row || !*row) break;
    BERM_ASSERT(!(*row)->signal.empty());
  }
  return 0;
}
