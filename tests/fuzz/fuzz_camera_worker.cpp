// SPDX-License-Identifier: Apache-2.0
// What a camera worker may say, in pieces: never a crash, and a line that is taken is written back
// so that it is taken again with the same meaning.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "drivers/camera_counter/worker_protocol.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/line_splitter.hpp"
#include "hal/child_process.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace berm;
  using namespace berm::drivers::camera_counter;
  LineSplitter splitter(hal::kMaxChildLine);
  std::string_view text(reinterpret_cast<const char*>(bytes), size);
  while (!text.empty()) {
    const std::size_t piece = 1 + static_cast<unsigned char>(text.front()) % 61;
    splitter.feed(text.substr(0, piece), [](std::string_view line, bool is_whole) {
      BERM_ASSERT(line.size() <= hal::kMaxChildLine);
      const auto parsed = is_whole ? parse_worker_line(line) : std::nullopt;
      if (!parsed) return;
      const std::string again = line_text(*parsed);
      BERM_ASSERT(again.size() <= hal::kMaxChildLine);
      const auto twice = parse_worker_line(std::string_view(again).substr(0, again.size() - 1));
      BERM_ASSERT(twice.has_value() && line_text(*twice) == again);
    });
    text.remove_prefix(std::min(piece, text.size()));
  }
  return 0;
}
