// SPDX-License-Identifier: Apache-2.0
// Any status, headers and body: nothing but 200 with an empty body is delivered, only 400 and 413
// may ever set an event aside, the reason is printable and bounded, a wait is between a second and
// an hour. Input: two bytes status, one byte events, one byte elapsed (100 ms each), then header
// lines
// ("name: value"), an empty line, the body.
#include <cstdint>
#include <string_view>

#include "firmware/uplink/flume_answer.hpp"
#include "firmware/uplink/limits.hpp"
#include "hal/base/assert.hpp"
#include "hal/base/text.hpp"

namespace {

using berm::uplink::Verdict;

berm::hal::HttpAnswer answer_from(std::string_view input) {
  berm::hal::HttpAnswer answer;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(input[i]); };
  answer.status = (byte(0) * 256 + byte(1)) % 1000;
  answer.elapsed = berm::Milliseconds(byte(3) * 100);
  std::string_view rest = input.substr(4);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    answer.headers.emplace_back(line.substr(0, colon), berm::trim(line.substr(colon + 1)));
  }
  answer.body = rest;
  return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const berm::hal::HttpAnswer answer = answer_from(input);
  const std::size_t events = 1 + static_cast<unsigned char>(input[2]);
  const berm::uplink::Answer read = berm::uplink::read_flume_answer(answer, events);
  const bool is_delivery = answer.status == 200 && answer.body.empty();
  BERM_ASSERT((read.verdict == Verdict::delivered) == is_delivery);
  BERM_ASSERT(!read.can_set_aside || answer.status == 400 || answer.status == 413);
  BERM_ASSERT(read.verdict != Verdict::refused || answer.status == 400 || answer.status == 500);
  BERM_ASSERT(read.reason.size() <= berm::uplink::kMaxReasonLength + 200);
  for (const char c : read.reason) BERM_ASSERT(c >= ' ' && c <= '~');
  if (read.retry_after) {
    BERM_ASSERT(read.retry_after->count() >= 1);
    BERM_ASSERT(*read.retry_after <= berm::uplink::kMaxRetryAfter);
  }
  return 0;
}
